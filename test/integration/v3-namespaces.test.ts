/**
 * Namespaces through v3, in a real kube-apiserver behind a real agent: asked for as the caller, put into projects and moved
 * between them only by who may in both.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ignoreNotFound, type Resource, until } from '@drover/base';
import { KubeClient, namespaces as namespaceRef } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const password = 'a password long enough';
let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let owner: string;
let stranger: string;
let id: string;
let mine: string;
let foreign: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  const env = { KUBECONFIG: cluster.kubeconfigPath };
  server = await startServer({ args: ['--cluster', 'context:test'], env });
  admin = await server.login();
  id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 60_000 },
  );
  const makeUser = async (username: string) => {
    const user = await server.ask(admin, 'POST', '/v3/users', { username, password });
    await server.ask(admin, 'POST', '/v3/globalrolebindings', { globalRoleId: 'user', userId: user.id });
    return { id: user.id as string, token: await server.login(username, password) };
  };
  const project = async (name: string) =>
    (await server.ask(admin, 'POST', '/v3/projects', { name, clusterId: id })).id as string;
  [mine, foreign] = [await project('mine'), await project('foreign')];
  const [one, two] = [await makeUser('namespace-owner'), await makeUser('stranger')];
  [owner, stranger] = [one.token, two.token];
  const binding = { clusterId: id, roleTemplateId: 'cluster-owner', userId: one.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
  let last: unknown;
  await until('the owner’s rights in the cluster', async () => {
    const { status } = (last = await server.fetch('GET', `/k8s/clusters/${id}/api/v1/nodes`, { token: owner }));
    return status === 200;
  }).catch(error => {
    throw new Error(`${error.message}: ${JSON.stringify(last)} ${server.output.slice(-3000)}`);
  });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const inCluster = (name: string) => kube.get(namespaceRef, name);

test('the cluster’s namespaces are listed under the context, each with its move', { skip }, async () => {
  const { data } = await server.ask(owner, 'GET', `/v3/clusters/${id}/namespaces?sort=name`);
  const system = data.find((one: { id: string }) => one.id === 'kube-system');
  assert.deepEqual([system.type, system.state], ['namespace', 'active']);
  assert.equal(system.links.self, `${server.url}/v3/cluster/${id}/namespaces/kube-system`);
  assert.equal(system.actions.move, `${system.links.self}?action=move`);
});

const projectOf = async (name: string) =>
  (await server.ask(owner, 'GET', `/v3/cluster/${id}/namespaces/${name}`)).projectId as string | null;

test('the server’s own projects hold the namespaces that belong there, and none that is elsewhere', {
  skip,
}, async () => {
  const { data } = await server.ask(owner, 'GET', `/v3/clusters/${id}/projects?sort=name`);
  const named = (name: string) => data.find((one: { name: string }) => one.name === name);
  await until('the namespaces to be in their projects', async () => (await projectOf('kube-system')) !== null);
  assert.deepEqual(
    [await projectOf('default'), await projectOf('kube-system')],
    [named('Default').id, named('System').id],
  );
  const refused = await server.fetch('DELETE', `/v3/projects/${named('System').id}`, { token: admin });
  assert.deepEqual([refused.status, refused.body.code], [405, 'MethodNotAllow']);
  const path = `/v3/cluster/${id}/namespaces`;
  await server.ask(owner, 'POST', `${path}/kube-public?action=move`, { projectId: mine }, 200);
  await server.ask(admin, 'PUT', '/v3/settings/system-namespaces', { value: 'kube-public,late' });
  await server.ask(owner, 'POST', path, { name: 'late' });
  await server.ask(admin, 'PUT', '/v3/settings/system-namespaces', { value: 'late,kube-public,kube-system' });
  await until('the late one to be in System', async () => (await projectOf('late')) === named('System').id);
  assert.equal(await projectOf('kube-public'), mine, 'what somebody moved stays');
});

test('a project that is deleted leaves its namespaces, and takes the rights in it along', { skip }, async () => {
  const doomed = await server.ask(admin, 'POST', '/v3/projects', { name: 'doomed', clusterId: id });
  await server.ask(owner, 'POST', `/v3/cluster/${id}/namespaces`, { name: 'orphan', projectId: doomed.id });
  const me = await server.ask(owner, 'GET', '/v3/users?me=true');
  const right = { projectId: doomed.id, roleTemplateId: 'project-member', userId: me.data[0].id };
  const binding = await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', right);
  await server.fetch('DELETE', `/v3/projects/${doomed.id}`, { token: admin });
  await until('the namespace to be in no project', async () => (await projectOf('orphan')) === null);
  assert.equal((await inCluster('orphan')).metadata.labels?.['field.cattle.io/projectId'], undefined);
  await until('the binding to be gone', async () => {
    const path = `/v3/projectroletemplatebindings/${binding.id}`;
    return (await server.fetch('GET', path, { token: admin })).status === 404;
  });
});

test('one is made in a project, changed without losing what is the system’s, moved, and deleted', {
  skip,
}, async () => {
  const path = `/v3/cluster/${id}/namespaces`;
  const missing = await server.fetch('POST', path, { token: owner, body: {} });
  assert.deepEqual([missing.status, missing.body.code, missing.body.fieldName], [422, 'MissingRequired', 'name']);
  const made = await server.ask(owner, 'POST', path, { name: 'shop', projectId: mine, labels: { a: '1', b: '2' } });
  assert.deepEqual([made.id, made.projectId], ['shop', mine]);
  await server.ask(owner, 'PUT', `${path}/shop`, { description: 'sells', labels: { a: '3' } });
  const { metadata } = await inCluster('shop');
  assert.deepEqual(
    [metadata.labels?.['a'], metadata.labels?.['b'], metadata.labels?.['field.cattle.io/projectId']],
    ['3', undefined, mine.split(':')[1]],
  );
  assert.equal(metadata.annotations?.['field.cattle.io/description'], 'sells');
  assert.equal(metadata.annotations?.['field.cattle.io/projectId'], mine);
  await server.ask(owner, 'POST', `${path}/shop?action=move`, { projectId: foreign }, 200);
  assert.equal((await server.ask(owner, 'GET', `${path}/shop`)).projectId, foreign);
  await server.ask(owner, 'POST', `${path}/shop?action=move`, { projectId: '' }, 200);
  assert.equal((await inCluster('shop')).metadata.labels?.['field.cattle.io/projectId'], undefined);
  await server.fetch('DELETE', `${path}/shop`, { token: owner });
  const gone = await ignoreNotFound(inCluster('shop'));
  // No controller runs here that would finish it.
  assert.ok(!gone || gone.metadata.deletionTimestamp);
});

test('no way leads into a project that is not there', { skip }, async () => {
  const path = `/v3/cluster/${id}/namespaces`;
  await server.ask(owner, 'POST', path, { name: 'stays', projectId: mine });
  const bad = `${id}:p-none`;
  const annotations = { 'field.cattle.io/projectId': bad };
  const ways: [string, string, object][] = [
    ['POST', `${path}/stays?action=move`, { projectId: bad }],
    ['POST', `${path}/stays?action=move`, { projectId: 'c-other:p-1' }],
    ['PUT', `${path}/stays`, { annotations }],
    ['POST', path, { name: 'made-there', projectId: bad }],
    ['POST', path, { name: 'made-there', annotations }],
  ];
  for (const [method, where, body] of ways) {
    const answer = await server.fetch(method, where, { token: owner, body });
    assert.equal(answer.status, 404, `${method} ${where} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
  }
  assert.equal((await inCluster('stays')).metadata.annotations?.['field.cattle.io/projectId'], mine);
  assert.equal(await ignoreNotFound(inCluster('made-there')), undefined);
});

test('to a stranger the cluster is not there', { skip }, async () => {
  const answer = await server.fetch('GET', `/v3/cluster/${id}/namespaces`, { token: stranger });
  assert.equal(answer.status, 404);
});

test('what the cluster refuses comes through with its own words', { skip }, async () => {
  const path = `/v3/cluster/${id}/namespaces`;
  const again = await server.fetch('POST', path, { token: owner, body: { name: 'kube-system' } });
  assert.deepEqual([again.status, again.body.code], [409, 'AlreadyExists']);
  const none = await server.fetch('GET', `${path}/not-there`, { token: owner });
  assert.deepEqual([none.status, none.body.code], [404, 'NotFound']);
});

test('what may be done inside of the cluster is answered by the cluster, and who may by its own roles too', {
  skip,
}, async () => {
  const ask = (action: string, question: object, token = owner) =>
    server.ask(token, 'POST', `/v1-access?action=${action}`, question, 200);
  const pods = { verb: 'get', resource: 'pods', clusterId: id, namespace: 'default' };
  // Until the binding is in the cluster it says no, as it would to the user himself.
  const yes = await until(
    'the cluster to allow it',
    async () => {
      const answer = await ask('can-i', pods);
      return answer.allowed ? answer : undefined;
    },
    { timeoutMs: 30_000 },
  );
  assert.match(yes.reason, /RBAC: allowed by/);
  const guest = await server.makeUser(admin, 'guest');
  const right = { projectId: mine, roleTemplateId: 'read-only', userId: guest.id };
  await server.ask(admin, 'POST', '/v3/projectroletemplatebindings', right);
  const elsewhere = await ask('can-i', { ...pods, namespace: 'kube-system', userId: guest.id }, admin);
  assert.equal(elsewhere.allowed, false);
  // No controller-manager runs here that would put together the rules of Kubernetes' own roles.
  await kube.request('PATCH', '/apis/rbac.authorization.k8s.io/v1/clusterroles/view', {
    contentType: 'application/merge-patch+json',
    body: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  });
  const { subjects } = await ask('who-can', { verb: 'get', resource: 'pods', projectId: mine });
  const found = subjects.find((one: { id: string }) => one.id === guest.id);
  assert.equal(found?.by.role, 'read-only', JSON.stringify(subjects));
  const writers = await ask('who-can', { verb: 'delete', resource: 'pods', projectId: mine });
  assert.equal(
    writers.subjects.some((one: { id: string }) => one.id === guest.id),
    false,
  );
});

test('a cluster that is deleted leaves no mark of its projects on namespaces', { skip }, async () => {
  assert.equal((await inCluster('default')).metadata.annotations?.['field.cattle.io/projectId']?.split(':')[0], id);
  await server.fetch('DELETE', `/v3/clusters/${id}`, { token: admin });
  await until('the marks to be gone', async () => {
    const { items } = await kube.list<Resource>(namespaceRef);
    return items.every(({ metadata }) => {
      const marks = { ...metadata.annotations, ...metadata.labels };
      return marks['field.cattle.io/projectId'] === undefined;
    });
  });
});
