/**
 * Links by rights: what every kind of caller is shown of every type that is kept here, against what PUT and DELETE really answer him. A PUT
 * sends nothing, and so changes nothing; what is deleted is deleted.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { projectSecretsServed } from '../live/project-secrets.ts';
import { openTestApi, type TestApi } from './fixture.ts';
import { servedTypes } from './registry.ts';

let api: TestApi;
let clusterId: string;
let projectId: string;
interface Who {
  readonly id: string;
  readonly token: string;
}
let callers: Readonly<Record<'standard' | 'reader' | 'ofProject' | 'clerk' | 'owner' | 'admin', Who>>;

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;
const path = (url: string) => url.slice(api.url.length);
const make = (plural: string, body: object, as?: string): Promise<Wire> =>
  api.want(201, 'POST', `/v3/${plural}`, { body, as });
const group = 'management.cattle.io';

before(async () => {
  api = await openTestApi();
  const user = (name: string) => api.makeUser(name);
  const all = ['standard', 'reader', 'project', 'clerk', 'owner'].map(user);
  const [standard, reader, ofProject, clerk, owner] = (await Promise.all(all)) as [Who, Who, Who, Who, Who];
  callers = { standard, reader, ofProject, clerk, owner, admin: { id: api.adminId, token: api.admin } };
  clusterId = (await make('clusters', { name: 'made', rancherKubernetesEngineConfig: {} })).id;
  projectId = (await make('projects', { name: 'shop', clusterId })).id;
  const rule = (verbs: readonly string[], resources: readonly string[]) => ({ apiGroups: [group], verbs, resources });
  const looksOnly = await make('roletemplates', {
    name: 'looks-only',
    context: 'cluster',
    rules: [rule(['get', 'list'], ['*']), { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] }],
  });
  const bind = (roleTemplateId: string, userId: string) =>
    make('clusterroletemplatebindings', { clusterId, roleTemplateId, userId });
  await bind(looksOnly.id, reader.id);
  await bind('cluster-owner', owner.id);
  await make('projectroletemplatebindings', { projectId, roleTemplateId: 'project-member', userId: ofProject.id });
  // One role, that of the standard user, is his to change; and no other is.
  const own = { ...rule(['update', 'delete'], ['globalroles']), resourceNames: ['named'] };
  const rules = [rule(['*'], ['users']), rule(['get', 'list'], ['globalroles', 'settings', 'authconfigs']), own];
  const clerks = await make('globalroles', { name: 'clerks', rules });
  await make('globalrolebindings', { globalRoleId: clerks.id, userId: clerk.id });
  await make('globalrolebindings', { globalRoleId: 'user', userId: standard.id });
  await api.resources.create('globalRole', { metadata: { name: 'named' }, displayName: 'named', rules: [] } as never);
  await make('clusterregistrationtokens', { clusterId });
  await make('etcdbackups', { clusterId });
  await make('fleetworkspaces', { name: 'a-workspace' });
  await make('groups', { name: 'a-group', provider: 'github' });
  await make('groupmembers', { name: 'a-member', principalId: 'github_user://1' });
  await make('dynamicschemas', { name: 'a-schema', resourceFields: {} });
  await make('rancherusernotifications', { name: 'a-notice', message: 'm', componentName: 'server' });
  await make('podsecurityadmissionconfigurationtemplates', { name: 'a-template', configuration: {} });
  for (const [index, { token }] of Object.values(callers).entries()) {
    await make('preferences', { name: 'theme', value: 'dark' }, token);
    await make('tokens', { description: 'another' }, token);
    await make('managementsecrets', { name: `s-${index}`, data: {} }, token);
    await make('cloudcredentials', { name: `c-${index}`, linodecredentialConfig: { token: 'x' } }, token);
  }
  await make('composeconfigs', {
    name: 'a-document',
    rancherCompose: 'version: v3\nroleTemplates:\n  composed:\n    context: project',
  });
  for (const [name, hostIdentity] of [
    ['registered', { key: 'x' }],
    ['of-the-cluster', undefined],
  ] as const)
    await api.resources.create('node', {
      metadata: { name, namespace: clusterId },
      spec: { clusterName: clusterId, worker: true },
      status: { nodeName: name, ...(hostIdentity ? { hostIdentity } : {}) },
    } as never);
  await api.want(201, 'POST', `/v3/project/${projectId}/secrets`, { body: { name: 'kept', data: {} } });
});
after(() => api[Symbol.asyncDispose]());

/** Where they are to be found; what is in a cluster itself is decided there. */
const collections = () =>
  servedTypes.flatMap(type => {
    const { id, pluralName, v3 } = type.declaration;
    if (!v3.collectionMethods.includes('GET')) return [];
    const plural = pluralName.toLowerCase();
    if (!type.context) return [{ id, at: `/v3/${plural}`, v3 }];
    return projectSecretsServed.includes(type) ? [{ id, at: `/v3/project/${projectId}/${plural}`, v3 }] : [];
  });

const refused: ReadonlySet<number> = new Set([403, 404, 405]);
/** They go back to what they were instead of going away, which nobody is offered as deleting. */
const notTakenAway: ReadonlySet<string> = new Set(['setting']);
/** These say by 4xx of their own that nobody does it. */
const nobodys: Readonly<Record<string, number>> = { 'token update': 422, 'token remove': 400, 'user remove': 422 };

/** Every link that says something else than the answer does. */
async function lies({ token, id: userId }: Who): Promise<{ wrong: string[]; links: number; refusals: number }> {
  const wrong: string[] = [];
  let [links, refusals] = [0, 0];
  const see = (id: string, link: 'update' | 'remove', one: Wire, status: number) => {
    const isShown = one.links[link] !== undefined;
    const isRefused = refused.has(status) || nobodys[`${id} ${link}`] === status;
    if (isShown) links++;
    if (isRefused) refusals++;
    if (isShown === isRefused && !(link === 'remove' && notTakenAway.has(id)))
      wrong.push(`${id} ${one.id}: ${link} is ${isShown ? '' : 'not '}shown, and answered with ${status}`);
  };
  const seen: { readonly id: string; readonly one: Wire; readonly methods: readonly string[] }[] = [];
  for (const { id, at, v3 } of collections()) {
    const { status, body } = await api.ask('GET', at, { as: token });
    if (refused.has(status)) continue;
    assert.equal(status, 200, at);
    for (const one of body.data) {
      const self = (await api.want(200, 'GET', path(one.links.self), { as: token })) as Wire;
      assert.deepEqual([one.links.update, one.links.remove], [self.links.update, self.links.remove], one.id);
      seen.push({ id, one: self, methods: v3.resourceMethods });
    }
  }
  for (const { id, one } of seen) {
    const { status } = await api.ask('PUT', path(one.links.update ?? one.links.self), { as: token, body: {} });
    see(id, 'update', one, status);
  }
  // What others hang on goes last, so that each is still there when it is its turn, and what gives him his rights after all else.
  const last = ['project', 'cluster', 'user', 'roleTemplate', 'globalRole'];
  const rank = ({ id, one }: (typeof seen)[number]) => (one.userId === userId ? 100 : last.indexOf(id));
  for (const { id, one } of seen.toSorted((a, b) => rank(a) - rank(b))) {
    // It may have gone with something that went before.
    if ((await api.ask('GET', path(one.links.self), { as: token })).status === 404) continue;
    const { status } = await api.ask('DELETE', path(one.links.self), { as: token });
    see(id, 'remove', one, status);
  }
  return { wrong, links, refusals };
}

const actionsOf = (one: Wire) => Object.keys(one.actions ?? {}).sort();

test('an action is shown to who may call it', async () => {
  const { id } = await make('clusters', { name: 'with-actions', rancherKubernetesEngineConfig: {} });
  await api.resources.create('node', {
    metadata: { name: 'of-actions', namespace: id },
    spec: { clusterName: id, worker: true },
    status: { nodeName: 'of-actions' },
  } as never);
  const seer = await api.makeUser('seer');
  const keeper = await api.makeUser('keeper');
  for (const [roleTemplateId, userId] of [
    ['cluster-member', seer.id],
    ['cluster-owner', keeper.id],
  ])
    await make('clusterroletemplatebindings', { clusterId: id, roleTemplateId, userId });
  const seen = async (as: string) => ({
    cluster: actionsOf(await api.want(200, 'GET', `/v3/clusters/${id}`, { as })),
    nodes: (await api.want(200, 'GET', '/v3/nodes', { as })).data.map(actionsOf),
    users: (await api.want(200, 'GET', '/v3/users', { as })).data.flatMap(actionsOf),
    allUsers: actionsOf(await api.want(200, 'GET', '/v3/users', { as })),
  });
  const forAll = ['exportYaml', 'generateKubeconfig', 'importYaml'];
  const owners = ['backupEtcd', 'restoreFromEtcdBackup', 'rotateCertificates', 'rotateEncryptionKey'];
  const mine = { users: [], allUsers: ['changepassword'] };
  assert.deepEqual(await seen(seer.token), { ...mine, cluster: forAll, nodes: [[]] });
  assert.deepEqual(await seen(keeper.token), {
    ...mine,
    cluster: [...forAll, ...owners].sort(),
    nodes: [['cordon', 'drain']],
  });
});

test('who may change users is shown what he may do to those who hold no more than he', async () => {
  const group = 'management.cattle.io';
  const rules = [{ apiGroups: [group], resources: ['users'], verbs: ['*'] }];
  const role = await make('globalroles', { name: 'users-only', rules });
  const [clerk, plain] = [await api.makeUser('of-users'), await api.makeUser('plain')];
  await make('globalrolebindings', { globalRoleId: role.id, userId: clerk.id });
  const user = (id: string) => api.want(200, 'GET', `/v3/users/${id}`, { as: clerk.token });
  assert.deepEqual(actionsOf(await user(plain.id)), ['refreshauthprovideraccess', 'setpassword']);
  assert.deepEqual(actionsOf(await user(api.adminId)), []);
});

/** Each deletes what he may: those who may most come last. */
for (const [who, least] of [
  ['reader', [5, 30]],
  ['ofProject', [5, 20]],
  ['standard', [5, 20]],
  ['owner', [5, 20]],
  ['clerk', [5, 20]],
  ['admin', [50, 20]],
] as const)
  test(`a link is shown to ${who} exactly where following it is not refused`, async () => {
    const { wrong, links, refusals } = await lies(callers[who]);
    assert.deepEqual(wrong, []);
    assert.ok(links >= least[0] && refusals >= least[1], `${links} links, ${refusals} refusals`);
  });
