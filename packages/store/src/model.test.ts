/** Random operations on the embedded store and on a plain map must give the same answers, lists and events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason } from '@drover/base';
import fc from 'fast-check';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import type { Entry, Store } from './store.ts';

const key = fc.constantFrom('a', 'a/b', 'a/c', 'b', 'b\u{1f600}');
const age = fc.nat(3);
const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), key }),
  fc.record({ do: fc.constant('update' as const), key, age }),
  fc.record({ do: fc.constant('delete' as const), key, age }),
  fc.record({ do: fc.constant('txn' as const), key, age, keys: fc.uniqueArray(key, { maxLength: 4 }) }),
  fc.record({ do: fc.constant('compact' as const), age }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the store should hold now, and every event until now. */
class Model {
  readonly now = new Map<string, Entry>();
  readonly events: string[] = [];

  put(at: string, value: string, revision: number): void {
    this.events.push(`${revision} put ${at} ${value} over ${this.now.get(at)?.value}`);
    this.now.set(at, { key: at, value, revision, created: this.now.get(at)?.created ?? revision });
  }

  delete(at: string, revision: number): void {
    this.events.push(`${revision} delete ${at} over ${this.now.get(at)?.value}`);
    this.now.delete(at);
  }

  sorted(): Entry[] {
    return [...this.now.values()].sort((x, y) => Buffer.compare(Buffer.from(x.key), Buffer.from(y.key)));
  }
}

async function apply(store: Store, model: Model, { step, value }: { step: Step; value: string }): Promise<void> {
  const next = (await store.revision()) + 1;
  if (step.do === 'compact') return store.compact(Math.max(0, next - 1 - step.age));
  const there = model.now.get(step.key);
  // Age 0 names the last revision, so that half of the writes go through.
  const revision = 'age' in step ? Math.max(0, (there?.revision ?? 0) - step.age) : 0;
  const right = revision === (there?.revision ?? 0);
  const refused =
    (...reasons: Parameters<typeof hasReason>[1][]) =>
    (error: unknown) =>
      hasReason(error, ...reasons);
  if (step.do === 'create') {
    if (there) return assert.rejects(store.create(step.key, value), refused('AlreadyExists'));
    await store.create(step.key, value);
    model.put(step.key, value, next);
  } else if (step.do === 'update') {
    if (!there || !right)
      return assert.rejects(store.update(step.key, value, revision), refused(there ? 'Conflict' : 'NotFound'));
    await store.update(step.key, value, revision);
    model.put(step.key, value, next);
  } else if (step.do === 'delete') {
    if (!there || !right)
      return assert.rejects(store.delete(step.key, revision), refused(there ? 'Conflict' : 'NotFound'));
    assert.deepEqual(await store.delete(step.key, revision), there);
    model.delete(step.key, next);
  } else {
    const ops = step.keys.map((at, place) =>
      place % 2 === 0 ? ({ type: 'put', key: at, value } as const) : ({ type: 'delete', key: at } as const),
    );
    const txn = store.txn([{ key: step.key, revision }], ops);
    if (!right) return assert.rejects(txn, refused('Conflict'));
    await txn;
    for (const op of ops) {
      if (op.type === 'put') model.put(op.key, value, next);
      else if (model.now.has(op.key)) model.delete(op.key, next);
    }
  }
}

test('the embedded store does what a plain map would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      await using store = await openSqliteStore({ path: ':memory:' });
      const model = new Model();
      const stop = new AbortController();
      const watch = store.watch('', { signal: stop.signal })[Symbol.asyncIterator]();
      await watch.next();
      for (const [at, step] of steps.entries()) {
        await apply(store, model, { step, value: `${at}` });
        assert.deepEqual((await store.list('')).entries, model.sorted());
      }
      for (const expected of model.events) {
        const { value: event } = await watch.next();
        assert.ok(event && event.type !== 'bookmark');
        const what = event.type === 'put' ? `put ${event.entry.key} ${event.entry.value}` : `delete ${event.key}`;
        assert.equal(`${event.revision} ${what} over ${event.previous?.value}`, expected);
      }
      stop.abort();
      assert.equal((await watch.next()).done, true);
    }),
    { numRuns: 150 },
  );
});

test('every revision that is kept can be listed page by page as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 3 }), async (steps, limit) => {
      await using store = await openSqliteStore({ path: ':memory:' });
      const model = new Model();
      const begun: { token: string; rest: readonly Entry[] }[] = [];
      for (const [at, step] of steps.entries()) {
        if (step.do === 'compact') continue;
        await apply(store, model, { step, value: `${at}` });
        const page = await store.list('', { limit });
        if (page.continue) begun.push({ token: page.continue, rest: model.sorted().slice(limit) });
      }
      for (const { token, rest } of begun) assert.deepEqual((await store.list('', { continue: token })).entries, rest);
    }),
    { numRuns: 60 },
  );
});
