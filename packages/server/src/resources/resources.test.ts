/** The resource model over the store: what the server owns of metadata, conflicts, finalizers, caches and controllers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { types } from '@drover/api';
import { isConflict, isExpired, silentLog, terminal, until } from '@drover/base';
import { FieldCipher, newEpoch, newSecretsKey, openSqliteStore, type Store } from '@drover/store';
import {
  controller,
  createCaches,
  finalizerOf,
  formatVersion,
  type Only,
  parseVersion,
  Resources,
  startCaches,
  startController,
  storeKey,
} from './index.ts';

async function open() {
  const store = await openSqliteStore({ path: ':memory:' });
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  const stop = new AbortController();
  await startCaches(caches, stop.signal);
  return {
    store,
    resources,
    caches,
    stop,
    context: { resources, caches, log: silentLog, signal: stop.signal },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await store[Symbol.asyncDispose]();
    },
  };
}

const cluster = (name: string) => ({ metadata: { name }, spec: { displayName: name } });

test('create fills in what the server owns, and refuses what Kubernetes would', async () => {
  await using it = await open();
  const made = await it.resources.create('cluster', { metadata: {}, spec: { displayName: 'a' } });
  assert.match(made.metadata.name, /^c-[a-z0-9]{5}$/);
  assert.equal(made.metadata.generation, 1);
  assert.ok(made.metadata.uid && made.metadata.creationTimestamp && made.metadata.resourceVersion);
  await assert.rejects(it.resources.create('cluster', cluster(made.metadata.name)), { reason: 'AlreadyExists' });
  await assert.rejects(it.resources.create('cluster', cluster('No Name')), { reason: 'Invalid' });
  await assert.rejects(it.resources.create('node', { metadata: { name: 'a' } }), { message: /namespace.*needs one/ });
});

test('of those who create one name at once all but one are told that it is there', async () => {
  await using it = await open();
  const make = () => it.resources.create('setting', { metadata: { name: 'raced' }, value: '1' });
  const results = await Promise.allSettled([make(), make(), make()]);
  const reasons = results.map(one => (one.status === 'fulfilled' ? 'made' : one.reason.reason));
  assert.deepEqual(reasons.toSorted(), ['AlreadyExists', 'AlreadyExists', 'made']);
});

test('whoever lost a race to create is told so even where the winner is gone by then', async () => {
  await using it = await open();
  const gone = Promise.withResolvers<void>();
  const late = new Proxy(it.store, {
    get(store, name) {
      if (name === 'txn')
        return (...given: Parameters<Store['txn']>) =>
          store.txn(...given).catch(error => gone.promise.then(() => Promise.reject(error)));
      const value = Reflect.get(store, name, store);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
  const place = { name: 'brief' };
  await it.resources.create('setting', { metadata: place, value: '1' });
  const loser = new Resources(late, new FieldCipher([newSecretsKey()]));
  const lost = assert.rejects(loser.create('setting', { metadata: place, value: '2' }), { reason: 'AlreadyExists' });
  await it.resources.delete('setting', place);
  gone.resolve();
  await lost;
});

test('an update with a stale version is a Conflict, and one that changes nothing writes nothing', async () => {
  await using it = await open();
  const made = await it.resources.create('cluster', cluster('a'));
  const next = await it.resources.update('cluster', { ...made, spec: { displayName: 'b' } });
  assert.equal(next.metadata.generation, 2);
  await assert.rejects(it.resources.update('cluster', { ...made, spec: { displayName: 'c' } }), isConflict);
  assert.equal((await it.resources.update('cluster', next)).metadata.resourceVersion, next.metadata.resourceVersion);
  const status = await it.resources.update('cluster', { ...next, status: { driver: 'local' } });
  assert.equal(status.metadata.generation, 2);
});

test('a finalizer holds a deletion until it is taken off', async () => {
  await using it = await open();
  await it.resources.create('cluster', { ...cluster('a'), metadata: { name: 'a', finalizers: ['x'] } });
  const left = await it.resources.delete('cluster', { name: 'a' });
  assert.ok(left?.metadata.deletionTimestamp);
  await it.resources.modify('cluster', { name: 'a' }, seen => ({
    ...seen,
    metadata: { ...seen.metadata, finalizers: [] },
  }));
  assert.equal(await it.resources.find('cluster', 'a'), undefined);
});

test('secret fields are encrypted in the store and open in the cache', async () => {
  await using it = await open();
  await it.resources.create('secret', {
    metadata: { name: 's', namespace: 'n' },
    stringData: { key: 'plain-text-value' },
  });
  const entry = await it.store.get(storeKey(types.secret, 's', 'n'));
  assert.ok(!entry!.value.includes('plain-text-value'));
  assert.equal(it.caches.secret.get('s', 'n')?.stringData?.['key'], 'plain-text-value');
});

test('a version of another epoch is Expired, and so is one that is none', async () => {
  assert.equal(parseVersion(7, formatVersion(7, 42)), 42);
  assert.throws(() => parseVersion(8, formatVersion(7, 42)), isExpired);
  assert.throws(() => parseVersion(8, 'nonsense'), isExpired);
});

test('a cache shows own writes at once, follows those of others, and finds by index', async () => {
  await using it = await open();
  it.caches.cluster.index('display', seen => [seen.spec?.displayName]);
  await it.resources.create('cluster', cluster('a'));
  assert.equal(it.caches.cluster.by('display', 'a').length, 1);
  const other = otherReplica(it.store);
  await other.modify('cluster', { name: 'a' }, seen => ({ ...seen, spec: { displayName: 'renamed' } }));
  await until('the other write', () => it.caches.cluster.by('display', 'renamed').length === 1);
  assert.equal(it.caches.cluster.by('display', 'a').length, 0);
  await other.delete('cluster', { name: 'a' });
  await until('the deletion', () => it.caches.cluster.size === 0);
});

/** Another process's view, with nothing shared but the store. */
function otherReplica(store: Store): Resources {
  return new Resources(store, new FieldCipher([newSecretsKey()]));
}

test('whoever follows one resource or one namespace is told of what is there, and of no other change', async () => {
  await using it = await open();
  const node = (name: string, namespace: string) => ({ metadata: { name, namespace } });
  await it.resources.create('node', node('m-1', 'c-a'));
  await it.resources.create('node', node('m-1', 'c-b'));
  const told: string[] = [];
  const follow = (who: string, only: Only, signal = it.stop.signal) =>
    it.caches.node.subscribe(({ key, after }) => told.push(`${who} ${key}${after ? '' : ' gone'}`), signal, only);
  const one = new AbortController();
  follow('one', { key: 'c-a/m-1' }, one.signal);
  follow('a', { namespace: 'c-a' });
  follow('none', { key: 'm-1' });
  follow('none', { namespace: 'm-1' });
  assert.deepEqual(told.splice(0), ['one c-a/m-1', 'a c-a/m-1']);
  await it.resources.create('node', node('m-2', 'c-a'));
  await it.resources.create('node', node('m-2', 'c-b'));
  assert.deepEqual(told.splice(0), ['a c-a/m-2']);
  one.abort();
  await it.resources.delete('node', { name: 'm-1', namespace: 'c-a' });
  await until('it to be told', () => told.length > 0);
  assert.deepEqual(told, ['a c-a/m-1 gone']);
});

test('a new epoch is taken up by a cache without anybody noticing', async () => {
  await using it = await open();
  await it.resources.create('cluster', cluster('a'));
  await newEpoch(it.store);
  await otherReplica(it.store).create('cluster', cluster('b'));
  await until('the later cluster', () => it.caches.cluster.get('b'), { timeoutMs: 10_000 });
  assert.equal(it.caches.cluster.size, 2);
});

test('a controller sees each resource, finalizes what is deleted, and gives up on what is terminal', async () => {
  await using it = await open();
  const seen: string[] = [];
  const undone: string[] = [];
  let failures = 0;
  const running = startController(
    controller({
      name: 'test',
      for: 'cluster',
      async reconcile(one) {
        if (one.metadata.name === 'bad') {
          failures++;
          throw terminal(new Error('never'));
        }
        seen.push(one.metadata.name);
        return undefined;
      },
      async finalize(one) {
        undone.push(one.metadata.name);
        return undefined;
      },
    }),
    it.context,
  );
  await it.resources.create('cluster', cluster('a'));
  await it.resources.create('cluster', cluster('bad'));
  await until('both to be seen', () => seen.includes('a') && failures > 0);
  assert.ok(it.caches.cluster.get('a')?.metadata.finalizers?.includes(finalizerOf('test')));
  await it.resources.delete('cluster', { name: 'a' });
  await until('the end of it', async () => !(await it.resources.find('cluster', 'a')));
  assert.deepEqual(undone, ['a']);
  assert.equal(running.depth(), 0);
});
