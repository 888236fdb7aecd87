/** One owner for each cluster, over a real store in memory: who holds what, and what becomes of it when a lease ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { type Lease, openSqliteStore, type Store } from '@drover/store';
import { startOwnership } from './cluster-ownership.ts';

let store: Store;
const stop = new AbortController();
before(async () => {
  store = await openSqliteStore({ path: ':memory:' });
});
after(async () => {
  stop.abort(new Error('the test is over'));
  await store[Symbol.asyncDispose]();
});

interface Replica {
  readonly held: Map<string, AbortSignal>;
  readonly owns: (clusterId: string) => boolean;
  readonly look: () => void;
  /** Ends the replica's lease in the store, as a freeze of the process would. */
  readonly loseLease: () => Promise<void>;
  readonly life: AbortController;
}

/** The lease is one of the store's own; the test only keeps hold of it, to take it away. */
function start(replica: string, wanted: Set<string>, leaseMs = 10_000): Replica {
  const held = new Map<string, AbortSignal>();
  const life = new AbortController();
  stop.signal.addEventListener('abort', () => life.abort(), { once: true });
  let lease: Lease | undefined;
  const keeping: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === 'lease') return async (ttlMs: number) => (lease = await target.lease(ttlMs));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const ownership = startOwnership({
    store: keeping,
    replica,
    wanted: () => wanted,
    gained: (clusterId, signal) => held.set(clusterId, signal),
    log: silentLog,
    signal: life.signal,
    everyMs: 50,
    leaseMs,
  });
  return {
    held,
    life,
    owns: id => ownership.owns(id),
    look: () => ownership.look(),
    loseLease: async () => lease?.[Symbol.asyncDispose](),
  };
}

test('2,000 clusters are claimed, each by one replica alone', async () => {
  const wanted = new Set(Array.from({ length: 2000 }, (_, i) => `c-${i}`));
  const [one, two] = [start('one', wanted), start('two', wanted)];
  await until('all to be owned', () => one.held.size + two.held.size === 2000, { timeoutMs: 30_000 });
  for (const id of wanted) assert.equal(Number(one.owns(id)) + Number(two.owns(id)), 1);
  one.life.abort(new Error('ended'));
  await until('the other to own them all', () => [...wanted].every(id => two.owns(id)));
  assert.ok([...one.held.values()].every(signal => signal.aborted));
  two.life.abort(new Error('ended'));
  await until('nobody to own any', async () => (await store.list('/owners/clusters/')).entries.length === 0);
});

test('when a lease is lost the work ends first, and then another replica has the cluster', async () => {
  const wanted = new Set(['c-lost']);
  const one = start('one', wanted);
  await until('it to be owned', () => one.owns('c-lost'));
  const two = start('two', wanted);
  const work = one.held.get('c-lost')!;
  let ownedByOther = false;
  work.addEventListener('abort', () => {
    ownedByOther = two.owns('c-lost');
  });
  await one.loseLease();
  assert.ok(work.aborted);
  assert.equal(ownedByOther, false);
  await until('somebody to own it again', () => one.owns('c-lost') || two.owns('c-lost'));
  assert.ok(!(one.owns('c-lost') && two.owns('c-lost')));
  one.life.abort(new Error('ended'));
  two.life.abort(new Error('ended'));
});

test('a cluster that is gone is let go, and a new one is claimed as soon as it is looked for', async () => {
  const wanted = new Set(['c-old']);
  const one = start('one', wanted);
  await until('the first to be owned', () => one.owns('c-old'));
  wanted.delete('c-old');
  wanted.add('c-new');
  one.look();
  await until('the new one to be owned', () => one.owns('c-new') && !one.owns('c-old'));
  assert.ok(one.held.get('c-old')!.aborted);
  assert.equal(await store.get('/owners/clusters/c-old'), undefined);
  one.life.abort(new Error('ended'));
});
