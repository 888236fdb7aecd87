/** The work queue: nothing twice at once, nothing forgotten, failures come back later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { until } from './abort.ts';
import { WorkQueue } from './queue.ts';

function life() {
  const stop = new AbortController();
  return { signal: stop.signal, [Symbol.dispose]: () => stop.abort() };
}

test('a key added while it is worked on is worked on once more afterwards', async () => {
  using it = life();
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const queue = new WorkQueue(async () => {
    runs++;
    if (runs === 1) await gate.promise;
    return undefined;
  }, it);
  queue.add('a');
  for (let i = 0; i < 5; i++) queue.add('a');
  assert.equal(runs, 1);
  gate.resolve();
  await until('the second run', () => runs === 2);
  await queue.idle();
  assert.equal(runs, 2);
});

test('a failure is tried again, and what onError gives up is not', async () => {
  using it = life();
  const tries: Record<string, number> = {};
  const queue = new WorkQueue(
    async key => {
      tries[key] = (tries[key] ?? 0) + 1;
      throw new Error('no');
    },
    {
      ...it,
      signal: it.signal,
      backoff: { minMs: 1, maxMs: 2 },
      onError: (key, _, count) => key === 'again' && count < 3,
    },
  );
  queue.add('again');
  queue.add('never');
  await until('three tries', () => tries['again'] === 3);
  assert.equal(tries['never'], 1);
});

test('a number asks for another look later, and an add comes before it', async () => {
  using it = life();
  let runs = 0;
  const queue = new WorkQueue(async () => (++runs === 1 ? 3_600_000 : undefined), it);
  queue.add('a');
  await until('the first look', () => runs === 1);
  queue.add('a');
  await until('the second look', () => runs === 2);
});

test('after the signal nothing starts', async () => {
  const stop = new AbortController();
  let runs = 0;
  const queue = new WorkQueue(async () => void runs++ as undefined, { signal: stop.signal });
  stop.abort();
  queue.add('a');
  await queue.idle();
  assert.equal(runs, 0);
});

test('however keys are added, none runs twice at once and the last add is always seen', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (keys, workers) => {
        using it = life();
        const version = new Map<string, number>();
        const seen = new Map<string, number>();
        const running = new Set<string>();
        const queue = new WorkQueue(
          async key => {
            assert.ok(!running.has(key));
            running.add(key);
            const at = version.get(key)!;
            await Promise.resolve();
            running.delete(key);
            seen.set(key, at);
            return undefined;
          },
          { workers, signal: it.signal },
        );
        for (const key of keys) {
          version.set(key, (version.get(key) ?? 0) + 1);
          queue.add(key);
          if (keys.length % 3 === 0) await Promise.resolve();
        }
        await until('all to be seen', () => [...version].every(([key, at]) => seen.get(key) === at), { everyMs: 1 });
      },
    ),
    { numRuns: 50 },
  );
});
