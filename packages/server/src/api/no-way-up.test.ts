/**
 * The ways up that systems of this kind have had, each tried over the wire: none leads to more than one was given. The
 * numbers are those of docs/security-tests.md.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

type User = Awaited<ReturnType<TestApi['makeUser']>>;

let api: TestApi;
let cluster: string;
let project: string;
let count = 0;

before(async () => {
  api = await openTestApi();
  cluster = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } })).id;
  project = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'p', clusterId: cluster } })).id;
});
after(() => api[Symbol.asyncDispose]());

const rule = (verbs: string[], resources: string[], apiGroups = ['management.cattle.io']) => ({
  apiGroups,
  resources,
  verbs,
});

/** A new user with a global role of these fields besides the standard one. */
async function userWith(role: Record<string, unknown>): Promise<User> {
  count += 1;
  const user = await api.makeUser(`user-${count}`);
  const { id } = await api.want(201, 'POST', '/v3/globalroles', { body: { name: `role-${count}`, ...role } });
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: id, userId: user.id } });
  return user;
}

const joins = (user: User, roleTemplateId: string) =>
  api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId: cluster, roleTemplateId, userId: user.id },
  });

async function member(roleTemplateId: string): Promise<User> {
  const user = await api.makeUser(`member-${++count}`);
  await joins(user, roleTemplateId);
  return user;
}

const status = async (as: User, method: string, path: string, body?: unknown) =>
  (await api.ask(method, path, { as: as.token, body })).status;

const clerkRules = [rule(['get', 'list', 'update', 'delete'], ['users'])];

/** Every way in which one user acts on another. */
async function acts(as: User, on: string): Promise<number[]> {
  const newPassword = 'a-new-password-of-mine';
  return [
    await status(as, 'POST', `/v3/users/${on}?action=setpassword`, { newPassword }),
    await status(as, 'PUT', `/v3/users/${on}`, { enabled: false }),
    await status(as, 'POST', `/v3/users/${on}?action=refreshauthprovideraccess`, {}),
    await status(as, 'DELETE', `/v3/users/${on}`),
  ];
}

const stronger: Record<string, Record<string, unknown>> = {
  'rules on the server': { rules: [rule(['*'], ['settings'])] },
  'a role in every cluster': { inheritedClusterRoles: ['cluster-owner'] },
  'a lesser role in every cluster': { inheritedClusterRoles: ['nodes-view'] },
  'rights in a namespace of the server': {
    namespacedRules: { 'cattle-global-data': [rule(['*'], ['secrets'], [''])] },
  },
};

for (const [what, role] of Object.entries(stronger))
  test(`T25: who may change users acts on nobody with ${what}, unless he has that too`, async () => {
    const clerk = await userWith({ rules: clerkRules });
    const strong = await userWith(role);
    assert.deepEqual(await acts(clerk, strong.id), [403, 403, 403, 403]);
    const equal = await userWith({ ...role, rules: [...clerkRules, ...((role['rules'] as []) ?? [])] });
    assert.deepEqual(await acts(equal, strong.id), [200, 200, 200, 204]);
  });

test('T25: rights in another namespace of the server are not those in this one', async () => {
  const secrets = [rule(['*'], ['secrets'], [''])];
  const clerk = await userWith({ rules: clerkRules, namespacedRules: { one: secrets } });
  const strong = await userWith({ namespacedRules: { two: secrets } });
  assert.deepEqual(await acts(clerk, strong.id), [403, 403, 403, 403]);
});

test('T25: an owner of one cluster is not acted on by who has less there, nor by an owner of another', async () => {
  const clerk = await userWith({ rules: clerkRules });
  const owner = await member('cluster-owner');
  assert.deepEqual(await acts(clerk, owner.id), [403, 403, 403, 403]);
  await joins(clerk, 'cluster-member');
  assert.deepEqual(await acts(clerk, owner.id), [403, 403, 403, 403]);
  const other = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'other' } });
  await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId: other.id, roleTemplateId: 'cluster-owner', userId: clerk.id },
  });
  assert.deepEqual(await acts(clerk, owner.id), [403, 403, 403, 403]);
});

test('T25: a role whose rules only its cluster knows is more than any rules that are known', async () => {
  const role = { name: 'known-there', context: 'cluster', external: true };
  const { id } = await api.want(201, 'POST', '/v3/roletemplates', { body: role });
  const clerk = await userWith({ rules: clerkRules });
  await joins(clerk, 'cluster-member');
  const strong = await member(id);
  assert.deepEqual(await acts(clerk, strong.id), [403, 403, 403, 403]);
});

test('T25: who is compared once is compared anew with whatever changes of him or of whom he acts on', async () => {
  const clerk = await userWith({ rules: clerkRules });
  const other = await api.makeUser('compared');
  const may = async () => {
    const { body } = await api.ask('GET', `/v3/users/${other.id}`, { as: clerk.token });
    return [body.links.update !== undefined, body.links.remove !== undefined, body.actions?.setpassword !== undefined];
  };
  const [yes, no] = [Array(3).fill(true), Array(3).fill(false)];
  assert.deepEqual(await may(), yes);
  const name = 'compared-with';
  const role = await api.want(201, 'POST', '/v3/globalroles', { body: { name, rules: clerkRules } });
  const change = (rules: unknown) => api.want(200, 'PUT', `/v3/globalroles/${role.id}`, { body: { rules } });
  const give = (globalRoleId: string, to: object) =>
    api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId, ...to } });
  await give(role.id, { userId: other.id });
  assert.deepEqual(await may(), yes);
  const more = [...clerkRules, rule(['get'], ['settings'])];
  await change(more);
  assert.deepEqual(await may(), no, 'a role of his gives more');
  await give(role.id, { userId: clerk.id });
  assert.deepEqual(await may(), yes, 'the clerk has it too');
  const group = 'github_team://25';
  await give('settings-manage', { groupPrincipalId: group });
  assert.deepEqual(await may(), yes, 'nobody of the group');
  const metadata = { name: other.id };
  await api.resources.put('userAttribute', { metadata, groupPrincipals: { github: [group] } }, seen => ({
    ...seen,
    groupPrincipals: { github: [group] },
  }));
  assert.deepEqual(await may(), no, 'he is in a group now');
  await api.resources.modify('userAttribute', { name: other.id }, seen => ({ ...seen, groupPrincipals: {} }));
  assert.deepEqual(await may(), yes, 'and has left it');
  await joins(other, 'cluster-owner');
  assert.deepEqual(await may(), no, 'he owns a cluster');
});

const templateWriter = {
  rules: [rule(['get', 'list', 'create', 'update', 'delete'], ['roletemplates', 'globalroles'])],
};

test('T14: who may write roles writes none with more than he holds, and makes none more later', async () => {
  const writer = await userWith(templateWriter);
  const pods = rule(['get'], ['pods'], ['']);
  const make = (body: unknown) => status(writer, 'POST', '/v3/roletemplates', body);
  assert.equal(await make({ name: 'pods', context: 'cluster', rules: [pods] }), 403);
  assert.equal(await make({ name: 'all', context: 'cluster', roleTemplateIds: ['cluster-owner'] }), 403);
  const { id } = await api.want(201, 'POST', '/v3/roletemplates', {
    as: writer.token,
    body: { name: 'none', context: 'cluster', rules: [] },
  });
  assert.equal(await status(writer, 'PUT', `/v3/roletemplates/${id}`, { rules: [pods] }), 403);
  assert.equal(await status(writer, 'PUT', `/v3/roletemplates/${id}`, { roleTemplateIds: ['cluster-owner'] }), 403);
  assert.deepEqual((await api.want(200, 'GET', `/v3/roletemplates/${id}`)).rules ?? [], []);
  const global = { name: 'g', rules: [rule(['*'], ['*'], ['*'])] };
  assert.equal(await status(writer, 'POST', '/v3/globalroles', global), 403);
  const everywhere = { name: 'h', inheritedClusterRoles: ['nodes-view'] };
  assert.equal(await status(writer, 'POST', '/v3/globalroles', everywhere), 403);
});

test('T16: rules that only a cluster knows are written by who may escalate alone', async () => {
  const writer = await userWith(templateWriter);
  const make = (body: object) => status(writer, 'POST', '/v3/roletemplates', { context: 'cluster', ...body });
  assert.equal(await make({ name: 'outside', external: true }), 403);
  assert.equal(await make({ name: 'outside', external: true, externalRules: [rule(['*'], ['*'], ['*'])] }), 403);
  assert.equal(await make({ name: 'outside', roleTemplateIds: ['admin'] }), 403);
  const { id } = await api.want(201, 'POST', '/v3/roletemplates', {
    as: writer.token,
    body: { name: 'inside', context: 'cluster' },
  });
  assert.equal(await status(writer, 'PUT', `/v3/roletemplates/${id}`, { external: true }), 403);
  assert.notEqual((await api.want(200, 'GET', `/v3/roletemplates/${id}`)).external, true);
});

test('T17: a binding can not be turned to another role, cluster, project or user', async () => {
  const owner = await member('cluster-owner');
  const guest = await api.makeUser('guest');
  const bound = await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    as: owner.token,
    body: { clusterId: cluster, roleTemplateId: 'cluster-member', userId: guest.id },
  });
  const other = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'another' } })).id;
  const path = `/v3/clusterroletemplatebindings/${bound.id}`;
  for (const change of [{ clusterId: other }, { roleTemplateId: 'cluster-owner' }, { userId: owner.id }]) {
    const answer = await api.ask('PUT', path, { as: owner.token, body: change });
    const { clusterId, roleTemplateId, userId } = await api.want(200, 'GET', path);
    assert.deepEqual([clusterId, roleTemplateId, userId], [cluster, 'cluster-member', guest.id], `${answer.status}`);
  }
});

test('T18: an owner of a project gives nothing in its cluster, and no role of clusters in it', async () => {
  const owner = await api.makeUser('project-owner');
  await api.want(201, 'POST', '/v3/projectroletemplatebindings', {
    body: { projectId: project, roleTemplateId: 'project-owner', userId: owner.id },
  });
  const bind = (kind: string, body: object) => status(owner, 'POST', `/v3/${kind}roletemplatebindings`, body);
  const userId = owner.id;
  assert.ok((await bind('cluster', { clusterId: cluster, roleTemplateId: 'cluster-owner', userId })) >= 400);
  assert.ok((await bind('project', { projectId: project, roleTemplateId: 'cluster-owner', userId })) >= 400);
  assert.ok((await bind('project', { projectId: project, roleTemplateId: 'cluster-admin', userId })) >= 400);
  for (const roleTemplateId of ['project-owner', 'read-only'])
    await api.want(201, 'POST', '/v3/projectroletemplatebindings', {
      as: owner.token,
      body: { projectId: project, roleTemplateId, userId: api.adminId },
    });
});

test('T19: a standard user writes nothing that belongs to the server', async () => {
  const user = await api.makeUser('standard');
  for (const path of ['settings/server-url', 'features/hide-local-auth-provider', `users/${api.adminId}`])
    assert.ok((await status(user, 'PUT', `/v3/${path}`, { value: 'x', enabled: false })) >= 403, path);
});

test('T21, T22: a role in use is not deleted, wherever it is used', async () => {
  const role = async (name: string) =>
    (await api.want(201, 'POST', '/v3/roletemplates', { body: { name, context: 'cluster' } })).id as string;
  const [bound, inherited, everywhere] = [await role('bound'), await role('inherited'), await role('everywhere')];
  const holder = await member(bound);
  await api.want(201, 'POST', '/v3/roletemplates', {
    body: { name: 'heir', context: 'cluster', roleTemplateIds: [inherited] },
  });
  await userWith({ inheritedClusterRoles: [everywhere] });
  for (const id of [bound, inherited, everywhere]) {
    const answer = await api.ask('DELETE', `/v3/roletemplates/${id}`);
    assert.deepEqual([answer.status, answer.body.code], [409, 'Conflict'], id);
  }
  const { data } = await api.want(200, 'GET', `/v3/clusterroletemplatebindings?userId=${holder.id}`);
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${data[0].id}`);
  assert.equal(await status(holder, 'GET', `/v3/clusters/${cluster}`), 404);
  await api.want(204, 'DELETE', `/v3/roletemplates/${bound}`);
});

test('T24: nobody chooses the id of a project, and none is given twice', async () => {
  const body = { name: 'same', clusterId: cluster, id: project, projectId: project };
  const ids = new Set<string>([project]);
  for (let made = 0; made < 20; made++) {
    const { id } = await api.want(201, 'POST', '/v3/projects', { body: { ...body, name: `same-${made}` } });
    assert.match(id, new RegExp(`^${cluster}:p-[a-z0-9]{5,}$`));
    ids.add(id);
  }
  assert.equal(ids.size, 21);
});

test('T26: no user takes the name of another, by whatever spelling or change', async () => {
  const user = await api.makeUser('unique');
  for (const username of ['unique', 'UNIQUE', ' unique', 'admin'])
    assert.ok(
      (await api.ask('POST', '/v3/users', { body: { username, password: 'a-long-password-1' } })).status >= 409,
    );
  await api.ask('PUT', `/v3/users/${user.id}`, { body: { username: 'admin' } });
  assert.equal((await api.want(200, 'GET', `/v3/users/${user.id}`)).username, 'unique');
});

const roots = [
  'clusters',
  'projects',
  'nodes',
  'users',
  'tokens',
  'globalroles',
  'globalrolebindings',
  'clusterroletemplatebindings',
  'projectroletemplatebindings',
  'clusterregistrationtokens',
  'authconfigs',
  'settings',
];

test('T4: what a stranger may not see answers to its id as what is not there', async () => {
  const stranger = await api.makeUser('stranger');
  await api.want(201, 'POST', '/v3/clusterregistrationtokens', { body: { clusterId: cluster } });
  await api.want(201, 'POST', '/v3/tokens', { body: { description: 'of the admin' } });
  let tried = 0;
  for (const root of roots) {
    const { data } = await api.want(200, 'GET', `/v3/${root}?limit=100`);
    const seen = await api.ask('GET', `/v3/${root}?limit=1000`, { as: stranger.token });
    const shown = new Set((seen.body.data ?? []).map(({ id }: { id: string }) => id));
    for (const { id } of data as { id: string }[]) {
      if (shown.has(id)) continue;
      tried += 1;
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await api.ask(method, `/v3/${root}/${id}`, {
          as: stranger.token,
          body: method === 'PUT' ? {} : undefined,
        });
        assert.ok([403, 404, 405].includes(answer.status), `${method} ${root}/${id}: ${answer.status}`);
      }
    }
  }
  assert.ok(tried > 20, `only ${tried} things were tried`);
});
