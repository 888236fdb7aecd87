/**
 * What is taken away does not hold for the next request, and what would check a write is never left out: with the check missing nothing is
 * written.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';
import { findType } from './registry.ts';

type User = Awaited<ReturnType<TestApi['makeUser']>>;

let api: TestApi;
let cluster: string;
let project: string;
let count = 0;

before(async () => {
  api = await openTestApi({ kubeApi: true });
  cluster = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } })).id;
  project = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId: cluster } })).id;
  await api.resources.create('authConfig', {
    metadata: { name: 'okta' },
    configType: 'oktaConfig',
    enabled: true,
  } as never);
});
after(() => api[Symbol.asyncDispose]());

const status = async (as: User, method: string, path: string, body?: unknown) =>
  (await api.ask(method, path, { as: as.token, body })).status;
const made = async (type: string, body: object): Promise<string> =>
  (await api.want(201, 'POST', `/v3/${type}`, { body: { name: `made-${++count}`, ...body } })).id;
const aUser = () => api.makeUser(`user-${++count}`);

test('T22: a group that is taken out of a cluster, and a member who is taken out of the group, have nothing from the next request on', async () => {
  const member = await aUser();
  const groupPrincipalId = 'openldap_group://cn=dev,dc=example,dc=com';
  const inGroups = async (...groups: string[]) => {
    const groupPrincipals = { openldap: groups };
    await api.resources.put('userAttribute', { metadata: { name: member.id }, groupPrincipals } as never, seen => ({
      ...seen,
      groupPrincipals,
    }));
  };
  const places = [`/v3/clusters/${cluster}`, `/v3/projects/${project}`];
  const seen = () => Promise.all(places.map(path => status(member, 'GET', path)));
  await inGroups(groupPrincipalId);
  assert.deepEqual(await seen(), [404, 404]);
  const bindings = [
    `clusterroletemplatebindings/${await made('clusterroletemplatebindings', { clusterId: cluster, roleTemplateId: 'cluster-member', groupPrincipalId })}`,
    `projectroletemplatebindings/${await made('projectroletemplatebindings', { projectId: project, roleTemplateId: 'read-only', groupPrincipalId })}`,
  ];
  assert.deepEqual(await seen(), [200, 200]);
  await inGroups();
  assert.deepEqual(await seen(), [404, 404]);
  await inGroups(groupPrincipalId);
  assert.deepEqual(await seen(), [200, 200]);
  for (const binding of bindings) await api.want(204, 'DELETE', `/v3/${binding}`);
  assert.deepEqual(await seen(), [404, 404]);
});

test('T22: a group that its provider removes takes what it gave from all of its members', async () => {
  const token = (await api.want(201, 'POST', '/v1-scim-token/okta')).token;
  const scim = (method: string, path: string, body?: object) =>
    api.ask(method, `/v1-scim/okta${path}`, { as: token, body });
  const eva = (await scim('POST', '/Users', { userName: 'eva' })).body.id;
  const group = (await scim('POST', '/Groups', { displayName: 'dev', members: [{ value: eva }] })).body.id;
  const asEva = (await api.deps.auth.access.grantsOf({
    userId: eva,
    groups: Object.values(api.caches.userAttribute.get(eva)!.groupPrincipals!).flat(),
    extra: {},
  })) as { readonly clusters: ReadonlyMap<string, unknown> };
  assert.equal(asEva.clusters.size, 0);
  await made('clusterroletemplatebindings', {
    clusterId: cluster,
    roleTemplateId: 'cluster-member',
    groupPrincipalId: 'okta_group://dev',
  });
  const groups = () => Object.values(api.caches.userAttribute.get(eva)?.groupPrincipals ?? {}).flat();
  assert.deepEqual(groups(), ['okta_group://dev']);
  assert.equal((await scim('DELETE', `/Groups/${group}`)).status, 204);
  assert.deepEqual(groups(), []);
});

test('T15: who may make namespaces may give that, and no more of them', async () => {
  const maker = await aUser();
  const rule = (...verbs: string[]) => [{ apiGroups: [''], resources: ['namespaces'], verbs }];
  const role = (rules: object[]) => made('roletemplates', { context: 'project', rules });
  const bindings = { apiGroups: ['management.cattle.io'], resources: ['projectroletemplatebindings'], verbs: ['*'] };
  const give = (roleTemplateId: string, userId: string) => ({ projectId: project, roleTemplateId, userId });
  await made('projectroletemplatebindings', give(await role([...rule('create'), bindings]), maker.id));
  const tries = async (rules: object[]) =>
    status(maker, 'POST', '/v3/projectroletemplatebindings', give(await role(rules), maker.id));
  assert.equal(await tries(rule('create')), 201);
  for (const verbs of [['*'], ['delete'], ['create', 'get'], ['manage-namespaces']])
    assert.equal(await tries(rule(...verbs)), 403, verbs.join());
  const manage = [{ apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['manage-namespaces'] }];
  assert.equal(await tries(manage), 403);
});

test('T19: nobody but who may writes what is the server’s own, by v3 or as plain Kubernetes API', async () => {
  const user = await aUser();
  const below = '/k8s/clusters/local/apis/management.cattle.io/v3';
  const patch = { 'content-type': 'application/merge-patch+json' };
  for (const name of ['server-url', 'agent-image', 'system-namespaces', 'cacerts', 'ui-pl']) {
    assert.ok(
      (await status(user, 'PUT', `/v3/settings/${name}`, { value: 'https://elsewhere.example.com' })) >= 403,
      name,
    );
    const over = await api.ask('PATCH', `${below}/settings/${name}`, {
      as: user.token,
      body: { value: 'x' },
      headers: patch,
    });
    assert.ok(over.status >= 403, name);
  }
  for (const [path, body] of [
    ['settings', { kind: 'Setting', metadata: { name: 'mine' }, value: 'x' }],
    ['users', { kind: 'User', metadata: {}, username: 'second-admin', password: 'long enough to be one' }],
    ['namespaces/cattle-system/secrets', { kind: 'Secret', metadata: { name: 'mine' } }],
    [
      'namespaces/cattle-global-data/projects',
      { kind: 'Project', metadata: {}, spec: { clusterName: 'cattle-global-data' } },
    ],
    ['namespaces/local/projects', { kind: 'Project', metadata: {}, spec: { clusterName: 'local', displayName: 'x' } }],
  ] as const) {
    const sent = { apiVersion: 'management.cattle.io/v3', ...body };
    const answer = await api.ask('POST', `${below}/${path}`, { as: user.token, body: sent });
    assert.ok([403, 404, 405, 422].includes(answer.status), `${path}: ${answer.status}`);
  }
  assert.notEqual(api.settings.get('server-url'), 'https://elsewhere.example.com');
  assert.equal(
    [...api.caches.user.all()].some(({ username }) => username === 'second-admin'),
    false,
  );
});

const carriers: Readonly<Record<string, () => object>> = {
  globalRole: () => ({ name: 'x', rules: [] }),
  globalRoleBinding: () => ({ globalRoleId: 'user', userId: api.adminId }),
  roleTemplate: () => ({ name: 'x', context: 'cluster', rules: [] }),
  clusterRoleTemplateBinding: () => ({ clusterId: cluster, roleTemplateId: 'cluster-member', userId: api.adminId }),
  projectRoleTemplateBinding: () => ({ projectId: project, roleTemplateId: 'read-only', userId: api.adminId }),
};

for (const [id, body] of Object.entries(carriers))
  test(`T20: with its check gone, no ${id} is written by anybody, on either way`, async () => {
    const type = findType(id)!;
    const behaviour = type.behaviour as { prepareCreate?: unknown; prepareUpdate?: unknown };
    const { prepareCreate, prepareUpdate } = behaviour;
    const cache = api.caches[type.stored!];
    const path = `/v3/${type.declaration.pluralName}`;
    const there = (await api.want(201, 'POST', path, { body: body() })).id as string;
    const before = JSON.stringify([...cache.all()]);
    const { kind, resource } = type.declaration;
    try {
      behaviour.prepareCreate = undefined;
      behaviour.prepareUpdate = undefined;
      assert.equal((await api.ask('POST', path, { body: body() })).status, 503);
      const namespace = { clusterRoleTemplateBinding: cluster, projectRoleTemplateBinding: project.replace(':', '-') }[
        id
      ];
      const over = `/k8s/clusters/local/apis/management.cattle.io/v3${namespace ? `/namespaces/${namespace}` : ''}/${resource}`;
      const stored = {
        globalRole: { displayName: 'x', newUserDefault: false },
        globalRoleBinding: { globalRoleName: 'user', userName: api.adminId },
        roleTemplate: {
          displayName: 'x',
          context: 'cluster',
          clusterCreatorDefault: false,
          projectCreatorDefault: false,
        },
        clusterRoleTemplateBinding: { clusterName: cluster, roleTemplateName: 'cluster-member', userName: api.adminId },
        projectRoleTemplateBinding: { projectName: project, roleTemplateName: 'read-only', userName: api.adminId },
      }[id];
      const object = { apiVersion: 'management.cattle.io/v3', kind, metadata: { generateName: 'x-' }, ...stored };
      assert.equal((await api.ask('POST', over, { body: object })).status, 503);
      if (prepareUpdate) assert.equal((await api.ask('PUT', `${path}/${there}`, { body: { rules: [] } })).status, 503);
      behaviour.prepareCreate = () => {
        throw new Error('it fell over');
      };
      assert.equal((await api.ask('POST', path, { body: body() })).status, 500);
      assert.equal(JSON.stringify([...cache.all()]), before);
    } finally {
      behaviour.prepareCreate = prepareCreate;
      behaviour.prepareUpdate = prepareUpdate;
    }
    await api.want(201, 'POST', path, { body: body() });
  });

test('T24: no project gets the id of another, in whichever cluster, by whoever chooses it', async () => {
  const other = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'two' } })).id as string;
  const owner = await aUser();
  await made('clusterroletemplatebindings', { clusterId: other, roleTemplateId: 'cluster-owner', userId: owner.id });
  const make = (name: string) =>
    api.ask('POST', `/k8s/clusters/local/apis/management.cattle.io/v3/namespaces/${other}/projects`, {
      as: owner.token,
      body: {
        apiVersion: 'management.cattle.io/v3',
        kind: 'Project',
        metadata: { name },
        spec: { displayName: 'mine', clusterName: other },
      },
    });
  const taken = project.split(':')[1]!;
  assert.equal((await make(taken)).status, 409);
  assert.equal(api.caches.project.get(taken, other), undefined);
  for (const name of [cluster, `p-${taken}`, 'cattle-system', `${cluster}-${taken}`])
    assert.equal((await make(name)).status, 422, name);
  const free = await make('p-free1');
  assert.equal(free.status, 201, JSON.stringify(free.body));
  assert.equal((await make('p-free1')).status, 409);
});
