/** `/v1/subscribe` of a real cluster: from a list to what comes after it, over cuts, changes of rights, and wishes that can't be met. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import { configMaps, namespaces, roleBindings } from '@drover/kube';
import { WebSocket } from 'ws';
import { missingApiServer } from './kube-apiserver.ts';
import { type Person, startSteve, type TestSteve } from './steve.ts';

const skip = missingApiServer() ?? false;
const long = { timeoutMs: 30_000 };
let steve: TestSteve;

before(async () => {
  if (skip) return;
  steve = await startSteve();
  await steve.kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
});
after(async () => {
  await steve?.[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Frame = any;

class Client implements AsyncDisposable {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', data => this.frames.push(JSON.parse(String(data))));
  }

  send(wish: object | string): void {
    this.#socket.send(typeof wish === 'string' ? wish : JSON.stringify(wish));
  }

  /** The first frame of that name (about that id) that was not taken yet. */
  take(name: string, id?: string): Promise<Frame> {
    return until(
      `${name} ${id ?? ''}`,
      () => {
        const at = this.frames.findIndex(one => one.name === name && (id === undefined || one.data?.id === id));
        return at < 0 ? undefined : this.frames.splice(at, 1)[0];
      },
      long,
    ).catch(error => {
      throw new Error(`${error.message}; there were ${JSON.stringify(this.frames).slice(0, 2000)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}

async function connect({ token }: Person): Promise<Client> {
  const { server, id } = steve;
  const url = `${server.url.replace('https', 'wss')}/k8s/clusters/${id}/v1/subscribe?sockId=1`;
  const socket = new WebSocket(url, { ca: server.ca, headers: { authorization: `Bearer ${token}` } });
  const client = new Client(socket);
  await once(socket, 'open');
  return client;
}

const configMap = (name: string, labels: Record<string, string> = {}): Resource => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', labels },
});
const make = (name: string, labels?: Record<string, string>) => steve.kube.create(configMaps, configMap(name, labels));
const remove = (name: string) => steve.kube.delete(configMaps, name, { namespace: 'shop' });
const revisionOf = async (type = 'configmaps') =>
  (await steve.get(steve.owner, `/${type}?pagesize=1`)).body.revision as string;

test('from a list’s revision on, each change is told whole', { skip }, async () => {
  await using client = await connect(steve.owner);
  const resourceVersion = await revisionOf();
  client.send({ resourceType: 'configmap', resourceVersion });
  assert.deepEqual((await client.take('resource.start')).resourceType, 'configmap');
  await make('one');
  const { data, revision } = await client.take('resource.create', 'shop/one');
  assert.deepEqual(
    [data.type, data.kind, data.metadata.resourceVersion, data.metadata.state.name],
    ['configmap', 'ConfigMap', revision, 'active'],
  );
  assert.equal(data.links.self, `${steve.server.url}/k8s/clusters/${steve.id}/v1/configmaps/shop/one`);
  await steve.kube.patch(configMaps, 'one', { data: { a: '1' } }, { type: 'merge', namespace: 'shop' });
  assert.deepEqual((await client.take('resource.change', 'shop/one')).data.data, { a: '1' });
  await remove('one');
  assert.equal((await client.take('resource.remove', 'shop/one')).data.metadata.name, 'one');
  await using again = await connect(steve.owner);
  again.send({ resourceType: 'configmaps', resourceVersion });
  for (const name of ['resource.create', 'resource.change', 'resource.remove']) await again.take(name, 'shop/one');
});

test('a revision that is not kept is told as too old, and the watch is over', { skip }, async () => {
  await using client = await connect(steve.owner);
  await revisionOf();
  client.send({ resourceType: 'configmap', resourceVersion: '1' });
  await client.take('resource.start');
  assert.match((await client.take('resource.error')).data.error, /too old/);
  await client.take('resource.stop');
  client.send({ resourceType: 'configmap', resourceVersion: await revisionOf() });
  await client.take('resource.start');
});

test('names, namespaces and selectors are kept to; the same wish twice is one watch', { skip }, async () => {
  await using client = await connect(steve.owner);
  const named = { resourceType: 'configmap', namespace: 'shop', id: 'two' };
  client.send(named);
  client.send(named);
  client.send({ resourceType: 'configmap', selector: 'app=yes' });
  client.send({ resourceType: 'configmap', namespace: 'default' });
  for (let i = 0; i < 3; i++) await client.take('resource.start');
  await make('two');
  await make('three', { app: 'yes' });
  assert.equal((await client.take('resource.create', 'shop/two')).id, 'two');
  assert.equal((await client.take('resource.create', 'shop/three')).selector, 'app=yes');
  client.send({ ...named, stop: true });
  await client.take('resource.stop');
  assert.deepEqual(
    client.frames.filter(one => one.name !== 'ping'),
    [],
  );
  await remove('two');
  await remove('three');
});

test('in resource.changes it is told that something changed, and stopped only by its whole key', { skip }, async () => {
  await using client = await connect(steve.owner);
  const wish = { resourceType: 'configmap', mode: 'resource.changes', debounceMs: 300 };
  client.send({ ...wish, resourceVersion: await revisionOf() });
  await client.take('resource.start');
  for (const name of ['p', 'q', 'r']) await make(name);
  const first = await client.take('resource.changes');
  assert.deepEqual([first.resourceType, first.mode], ['configmap', 'resource.changes']);
  const last = (await steve.kube.get(configMaps, 'r', { namespace: 'shop' })).metadata.resourceVersion!;
  await until(
    'the last one to be told',
    () =>
      client.frames.some(one => BigInt(one.revision ?? 0) >= BigInt(last)) || BigInt(first.revision) >= BigInt(last),
    long,
  );
  assert.ok(!client.frames.some(one => one.name === 'resource.create'));
  client.send({ ...wish, debounceMs: 301, stop: true });
  client.send({ ...wish, stop: true });
  await client.take('resource.stop');
  for (const name of ['p', 'q', 'r']) await remove(name);
});

test('what can not be watched is said in the words that clients know', { skip }, async () => {
  await using client = await connect(steve.owner);
  client.send('{');
  assert.match((await client.take('resource.error')).data.error, /must be JSON/);
  client.send({ resourceType: 'example.com.nothing' });
  assert.match((await client.take('resource.error')).data.error, /failed to find schema/);
  client.send({ resourceType: 'authorization.k8s.io.selfsubjectaccessreview' });
  assert.match(
    (await client.take('resource.error')).data.error,
    /the server does not allow this method on the requested resource/,
  );
  await using member = await connect(steve.member);
  member.send({ resourceType: 'secret' });
  assert.match((await member.take('resource.error')).data.error, /watch not allowed/);
  const plain = await steve.get(steve.owner, '/subscribe');
  assert.equal(plain.status, 400);
  await assert.rejects(connect(steve.stranger), /403/);
});

test('a member is told of what he may see and no more; when his right ends, so does the watch', { skip }, async () => {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: 'sees-one', namespace: 'shop' };
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'], resourceNames: ['seen'] },
  ];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: steve.member.id }];
  await steve.apply(
    { apiVersion, kind: 'Role', metadata, rules } as Resource,
    { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects } as Resource,
  );
  await until('his right', async () => (await steve.get(steve.member, '/configmaps')).status === 200, long);
  await using client = await connect(steve.member);
  client.send({ resourceType: 'configmap' });
  await client.take('resource.start');
  await make('hidden');
  await make('seen');
  const { data } = await client.take('resource.create');
  assert.deepEqual([data.id, Object.keys(data.links)], ['shop/seen', ['self', 'view']]);
  await steve.kube.delete(roleBindings, metadata.name, { namespace: 'shop' });
  await client.take('resource.stop');
  await steve.kube.patch(configMaps, 'seen', { data: { a: '1' } }, { type: 'merge', namespace: 'shop' });
  client.send({ resourceType: 'configmap' });
  assert.match((await client.take('resource.error')).data.error, /watch not allowed/);
  assert.ok(!client.frames.some(one => one.name === 'resource.change'));
});

test('counts are of what one may see, and only what changed is told again', { skip }, async () => {
  const { data } = (await steve.get(steve.owner, '/counts')).body;
  const before = data[0].counts.configmap;
  assert.ok(before.summary.count >= 2 && before.namespaces.shop.count === 2, JSON.stringify(before));
  assert.ok(data[0].counts.namespace.summary.count >= 4);
  await using client = await connect(steve.owner);
  client.send({ resourceType: 'count' });
  await client.take('resource.start');
  assert.deepEqual((await client.take('resource.change', 'count')).data.counts.configmap, before);
  await make('counted');
  const { data: changed } = await client.take('resource.change', 'count');
  assert.equal(changed.counts.configmap.namespaces.shop.count, 3);
  assert.equal(changed.counts.namespace, undefined);
});

test('a secret is told with its body to who may read it', { skip }, async () => {
  await using client = await connect(steve.owner);
  client.send({ resourceType: 'secret' });
  await client.take('resource.start');
  await steve.kube.create({ apiVersion: 'v1', resource: 'secrets', namespaced: true }, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'told', namespace: 'shop' },
    stringData: { k: 'v' },
  } as Resource);
  const { data } = await client.take('resource.create', 'shop/told');
  assert.deepEqual([data._type, data.data], ['Opaque', { k: Buffer.from('v').toString('base64') }]);
});
