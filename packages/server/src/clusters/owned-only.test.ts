/** Work on clusters that are ours, over a real store: what was begun with a claim that ended is not written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict, silentLog, until } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { type Ownership, startOwnership } from '../controllers/cluster-ownership.ts';
import { type ControllerContext, controller, createCaches, Resources, startCaches } from '../resources/index.ts';
import { InsideWork, untilDeleted } from './inside-work.ts';
import { ownedOnly } from './owned-only.ts';

async function open() {
  const store = await openSqliteStore({ path: ':memory:' });
  const life = new AbortController();
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  const context: ControllerContext = { resources, caches, log: silentLog, signal: life.signal };
  const cluster = await resources.create('cluster', { metadata: { name: 'c-a' }, spec: { displayName: 'before' } });
  const ownership = startOwnership({
    store,
    replica: 'one',
    wanted: () => ['c-a'],
    gained: () => undefined,
    log: silentLog,
    signal: life.signal,
  });
  await until('the claim', () => ownership.owns('c-a'), { timeoutMs: 30_000 });
  return {
    store,
    resources,
    context,
    cluster,
    ownership,
    /** The claim as a process that was frozen still believes in it. */
    frozen: (claim = ownership.claim('c-a')): Pick<Ownership, 'owns' | 'claim'> => ({
      owns: () => true,
      claim: () => claim,
    }),
    async [Symbol.asyncDispose]() {
      life.abort(new Error('the test is over'));
      await store[Symbol.asyncDispose]();
    },
  };
}

const renaming = controller({
  name: 'renaming',
  for: 'cluster',
  async reconcile(cluster, { resources }) {
    await resources.modify('cluster', { name: cluster.metadata.name }, seen => ({
      ...seen,
      spec: { ...seen.spec, displayName: 'after' },
    }));
    await resources.create('node', { metadata: { name: 'm-1', namespace: 'c-a' }, spec: {} });
    return undefined;
  },
  async finalize(cluster, { resources }) {
    await resources.delete('node', { name: 'm-1', namespace: cluster.metadata.name });
    return undefined;
  },
});

test('whoever owns a cluster writes; whoever does not, does nothing', async () => {
  await using it = await open();
  const other: Pick<Ownership, 'owns' | 'claim'> = { owns: () => false, claim: name => it.ownership.claim(name) };
  assert.equal(await ownedOnly(renaming, other, new InsideWork()).reconcile(it.cluster, it.context), undefined);
  assert.equal((await it.resources.get('cluster', 'c-a')).spec?.displayName, 'before');
  assert.deepEqual(await ownedOnly(renaming, other, new InsideWork()).finalize!(it.cluster, it.context), {
    after: 2000,
  });
  await ownedOnly(renaming, it.ownership, new InsideWork()).reconcile(it.cluster, it.context);
  assert.equal((await it.resources.get('cluster', 'c-a')).spec?.displayName, 'after');
});

test('what was begun with a claim that has ended is refused: changes, new ones and removals', async () => {
  await using it = await open();
  const late = ownedOnly(renaming, it.frozen(), new InsideWork());
  await it.resources.create('node', { metadata: { name: 'm-1', namespace: 'c-a' }, spec: {} });
  const [{ key }] = it.ownership.claim('c-a') as [{ key: string; revision: number }];
  await it.store.txn([], [{ type: 'put', key, value: '{"replica":"two"}' }]);
  await assert.rejects(late.reconcile(it.cluster, it.context), isConflict);
  await assert.rejects(late.finalize!(it.cluster, it.context), isConflict);
  assert.equal((await it.resources.get('cluster', 'c-a')).spec?.displayName, 'before');
  assert.ok(await it.resources.find('node', 'm-1', 'c-a'));
  const held = it.resources.whileHolding(() => it.frozen([{ key, revision: 1 }]).claim('c-a'));
  await assert.rejects(held.create('node', { metadata: { name: 'm-2', namespace: 'c-a' }, spec: {} }), isConflict);
});

test('caches see what was written while holding a claim as soon as anything else', async () => {
  await using it = await open();
  const seen: string[] = [];
  it.resources.onWrite = (id, resource) => seen.push(`${id} ${resource.metadata.name}`);
  await ownedOnly(renaming, it.ownership, new InsideWork()).reconcile(it.cluster, it.context);
  assert.deepEqual(seen, ['cluster c-a', 'node m-1']);
});

test('work in a cluster is known of from its begin to its end', async () => {
  await using it = await open();
  const work = new InsideWork();
  const opened = Promise.withResolvers<void>();
  const slow = controller({
    name: 'slow',
    for: 'cluster',
    reconcile: async () => {
      await opened.promise;
      throw new Error('as it ended');
    },
  });
  const one = ownedOnly(slow, it.ownership, work).reconcile(it.cluster, it.context);
  const other = work.during('c-a', async () => undefined);
  assert.ok(work.isBusy('c-a'));
  assert.ok(!work.isBusy('c-b'));
  await other;
  assert.ok(work.isBusy('c-a'));
  opened.resolve();
  await assert.rejects(one, /as it ended/);
  assert.ok(!work.isBusy('c-a'));
});

test('what follows a cluster is told when it is being deleted, or is already', async () => {
  await using it = await open();
  const { caches, signal } = it.context;
  await startCaches(caches, signal);
  const before = untilDeleted(caches, 'c-a', signal);
  await it.resources.modify('cluster', { name: 'c-a' }, seen => ({
    ...seen,
    metadata: { ...seen.metadata, finalizers: ['controller.cattle.io/renaming'] },
  }));
  assert.ok(!before.aborted);
  await it.resources.delete('cluster', { name: 'c-a' });
  await until('the signal', () => before.aborted, { timeoutMs: 30_000 });
  assert.ok(untilDeleted(caches, 'c-a', signal).aborted);
  assert.ok(!untilDeleted(caches, 'c-b', signal).aborted);
});
