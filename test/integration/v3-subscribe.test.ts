/**
 * `/v3/project/<id>/subscribe` and `/v3/cluster/<id>/subscribe` of what is in a real cluster: who is told of what there is and of
 * each change, and who is not, over changes of rights and of the project's namespaces.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { configMaps, namespaces, roleBindings } from '@drover/kube';
import { WebSocket } from 'ws';
import { missingApiServer } from './kube-apiserver.ts';
import { type Person, startSteve, type TestSteve } from './steve.ts';

const skip = missingApiServer() ?? false;
const long = { timeoutMs: 60_000 };
// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

let steve: TestSteve;
let project: string;

before(async () => {
  if (skip) return;
  steve = await startSteve();
  const { server, admin, id } = steve;
  project = (await server.ask(admin, 'POST', '/v3/projects', { name: 'shop', clusterId: id })).id;
  for (const [name, projectId] of [
    ['shop', project],
    ['other', undefined],
  ])
    await server.ask(admin, 'POST', `/v3/cluster/${id}/namespaces`, { name, projectId });
});
after(async () => {
  await steve?.[Symbol.asyncDispose]();
});

interface Client extends Disposable {
  readonly frames: Wire[];
  readonly closed: () => number | undefined;
  /** Takes the first frame of that name about that id. */
  take(name: 'change' | 'remove', id: string): Promise<Wire>;
}

const socketOf = ({ token }: Pick<Person, 'token'>, path: string) =>
  new WebSocket(`${steve.server.url}${path}`, {
    ca: steve.server.ca,
    headers: { authorization: `Bearer ${token}` },
  });

async function subscribe(person: Pick<Person, 'token'>, path: string): Promise<Client> {
  const socket = socketOf(person, path);
  const frames: Wire[] = [];
  let closed: number | undefined;
  socket.on('message', data => frames.push(JSON.parse(String(data))));
  socket.on('close', code => (closed = code));
  await once(socket, 'open');
  return {
    frames,
    closed: () => closed,
    take: (name, id) =>
      until(
        `resource.${name} of ${id}`,
        () => {
          const at = frames.findIndex(one => one.name === `resource.${name}` && one.data.id === id);
          return at < 0 ? undefined : frames.splice(at, 1)[0];
        },
        long,
      ).catch(error => {
        throw new Error(`${error.message}; closed ${closed}; ${JSON.stringify(frames).slice(0, 2000)}`);
      }),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

const ids = ({ frames }: Client) => frames.filter(one => one.name !== 'ping').map(one => one.data.id as string);
const inProject = (types: string) => `/v3/project/${project}/subscribe?${types}`;
const make = (namespace: string, name: string, data: Record<string, string> = {}) =>
  steve.kube.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name },
    data,
  } as Wire);
const remove = (namespace: string, name: string) => steve.kube.delete(configMaps, name, { namespace });

test('what is there comes first, then each change and removal, as lists show it', { skip }, async () => {
  await make('shop', 'first', { a: '1' });
  await make('other', 'elsewhere');
  using client = await subscribe(steve.owner, inProject('resourceTypes=configMap'));
  const first = await client.take('change', 'shop:first');
  const path = `/v3/project/${project}/configmaps/shop:first`;
  assert.deepEqual(first.data, await steve.server.ask(steve.owner.token, 'GET', path));
  await steve.server.ask(steve.owner.token, 'PUT', path, { data: { a: '2' } });
  await until('the change', () => client.frames.some(one => one.data?.data?.a === '2'), long);
  await make('other', 'later');
  await make('shop', 'second');
  await client.take('change', 'shop:second');
  await remove('shop', 'second');
  assert.deepEqual((await client.take('remove', 'shop:second')).data, {
    id: 'shop:second',
    type: 'configMap',
    baseType: 'configMap',
  });
  assert.ok(!ids(client).some(id => id.startsWith('other:')), 'it is of another project');
});

test('workloads of every kind are told of under their own types, and what they made is not', { skip }, async () => {
  using client = await subscribe(steve.owner, inProject('resourceTypes=workload&resourceTypes=pod'));
  const containers = [{ name: 'web', image: 'example.com/web:1' }];
  const workload = { namespaceId: 'shop', containers };
  const { token } = steve.owner;
  const made = await steve.server.ask(token, 'POST', `/v3/project/${project}/workloads`, { ...workload, name: 'web' });
  const told = await client.take('change', made.id);
  assert.deepEqual([told.data.type, told.data.baseType, told.data.scale], ['deployment', 'workload', 1]);
  assert.equal(told.data.links.self, made.links.self);
  assert.ok(told.data.actions.redeploy);
  await steve.server.ask(token, 'POST', `/v3/project/${project}/workloads`, {
    ...workload,
    name: 'agent',
    daemonSetConfig: {},
  });
  assert.equal((await client.take('change', 'daemonSet:shop:agent')).data.type, 'daemonSet');
  await steve.server.ask(token, 'DELETE', `/v3/project/${project}/workloads/${made.id}`, undefined, 204);
  assert.equal((await client.take('remove', made.id)).data.type, 'deployment');
});

test('a filter holds for what is told', { skip }, async () => {
  const path = `/v3/project/${project}/configmaps`;
  const { token } = steve.owner;
  using client = await subscribe(steve.owner, inProject('resourceTypes=configMap&name=wanted'));
  for (const name of ['plain', 'wanted'])
    await steve.server.ask(token, 'POST', path, { name, namespaceId: 'shop', data: { a: 'b' } });
  await client.take('change', 'shop:wanted');
  await remove('shop', 'plain');
  await remove('shop', 'wanted');
  await client.take('remove', 'shop:wanted');
  assert.deepEqual([...new Set(ids(client))], []);
});

test('secrets are told of as who may read them reads them, by their kind', { skip }, async () => {
  using client = await subscribe(
    steve.owner,
    inProject('resourceTypes=namespacedSecret&resourceTypes=namespacedCertificate'),
  );
  const { token } = steve.owner;
  const opaque = { name: 'opaque', namespaceId: 'shop', stringData: { word: 'open' } };
  await steve.server.ask(token, 'POST', `/v3/project/${project}/namespacedsecrets`, opaque);
  const certificate = { name: 'tls', namespaceId: 'shop', certs: 'CERT', key: 'KEY' };
  await steve.server.ask(token, 'POST', `/v3/project/${project}/namespacedcertificates`, certificate);
  const told = await client.take('change', 'shop:opaque');
  assert.deepEqual([told.data.type, told.data.data], ['namespacedSecret', { word: 'b3Blbg==' }]);
  const types = new Set<string>();
  await until(
    'the certificate under both of its types',
    () => {
      for (const { name, data } of client.frames) if (name !== 'ping' && data.id === 'shop:tls') types.add(data.type);
      return types.size === 2;
    },
    long,
  );
  const certificates = client.frames.filter(one => one.data?.type === 'namespacedCertificate');
  assert.ok(certificates.every(one => one.data.id === 'shop:tls' && one.data.key === undefined));
});

test('who gains rights is told of what he sees by then, and of what he loses that it is gone', { skip }, async () => {
  const { apiVersion } = roleBindings;
  const path = `/v3/cluster/${steve.id}/subscribe?resourceTypes=namespace`;
  using whole = await subscribe(steve.member, path);
  await steve.apply(
    {
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name: 'sees-shop' },
      rules: [{ apiGroups: [''], resources: ['namespaces'], resourceNames: ['shop'], verbs: ['get'] }],
    } as Wire,
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'sees-shop' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sees-shop' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: steve.member.id }],
    } as Wire,
  );
  const told = await whole.take('change', 'shop');
  assert.deepEqual([told.data.type, told.data.projectId], ['namespace', project]);
  assert.deepEqual(
    [told.data.links.update, told.data.links.remove],
    [undefined, undefined],
    'he may look, and no more',
  );
  await steve.kube.delete(
    { ...roleBindings, kind: 'ClusterRoleBinding', resource: 'clusterrolebindings', namespaced: false },
    'sees-shop',
  );
  await whole.take('remove', 'shop');
  using owner = await subscribe(steve.owner, path);
  await steve.kube.patch(namespaces, 'shop', { metadata: { labels: { later: 'yes' } } }, { type: 'merge' });
  await until('the owner to be told', () => owner.frames.some(one => one.data.labels?.later === 'yes'), long);
  // Whatever he was sent, he was sent before the next ping.
  const pings = () => whole.frames.filter(one => one.name === 'ping').length;
  const before = pings();
  await until('a ping', () => pings() > before, long);
  assert.ok(!ids(whole).includes('shop'), 'he may not see it any more');
});

test('a namespace that comes into the project brings what is in it, and takes it away again', { skip }, async () => {
  using client = await subscribe(steve.owner, inProject('resourceTypes=configMap'));
  await client.take('change', 'shop:first');
  const move = (projectId: string) =>
    steve.server.ask(
      steve.owner.token,
      'POST',
      `/v3/cluster/${steve.id}/namespaces/other?action=move`,
      { projectId },
      200,
    );
  await move(project);
  await client.take('change', 'other:elsewhere');
  await move('');
  await client.take('remove', 'other:elsewhere');
});

/** The watches of config maps that the cluster's API server has open. */
async function watches(): Promise<number> {
  const { body } = await steve.kube.stream('GET', '/metrics');
  let text = '';
  for await (const chunk of body) text += String(chunk);
  const lines = text
    .split('\n')
    .filter(line => /^apiserver_longrunning_requests\{.*resource="configmaps".*verb="WATCH"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('however many are subscribed, the cluster is watched once', { skip }, async () => {
  using one = await subscribe(steve.owner, inProject('resourceTypes=configMap'));
  await one.take('change', 'shop:first');
  const before = await watches();
  assert.ok(before >= 1, 'it is watched');
  using all = new DisposableStack();
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => subscribe(steve.owner, inProject('resourceTypes=configMap'))),
  );
  for (const client of clients) all.use(client);
  await Promise.all(clients.map(client => client.take('change', 'shop:first')));
  await make('shop', 'for-all');
  await Promise.all(clients.map(client => client.take('change', 'shop:for-all')));
  // The API server watches some for itself, and begins anew at times.
  assert.ok((await watches()) < before + clients.length / 2, 'each subscriber is a watch');
});

test('who is no member is refused, and so are types of another context', { skip }, async () => {
  const refused = async (person: Person, path: string) => {
    const socket = socketOf(person, path);
    socket.on('error', () => undefined);
    const [, answer] = await once(socket, 'unexpected-response').finally(() => socket.terminate());
    return answer.statusCode;
  };
  assert.equal(await refused(steve.stranger, inProject('resourceTypes=configMap')), 404);
  assert.equal(await refused(steve.stranger, `/v3/cluster/${steve.id}/subscribe?resourceTypes=namespace`), 404);
  assert.equal(await refused(steve.owner, `/v3/cluster/${steve.id}/subscribe?resourceTypes=configMap`), 404);
  assert.equal(await refused(steve.owner, '/v3/subscribe?resourceTypes=configMap'), 404);
});
