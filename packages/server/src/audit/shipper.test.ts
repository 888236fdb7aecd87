/** Shippers: lines in order, again after a failure, never waited for, and every loss told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badRequest, silentLog, terminal, unavailable, until } from '@drover/base';
import { Shipper } from './shipper.ts';

const quick = { log: silentLog, backoff: { minMs: 1, maxMs: 5 } };

test('lines arrive in order, and again what was not taken', async () => {
  const taken: string[] = [];
  let failures = 3;
  await using shipper = new Shipper({
    ...quick,
    name: 'test',
    batchLines: 3,
    deliver: async lines => {
      if (failures-- > 0) throw unavailable('not now');
      taken.push(...lines);
    },
  });
  for (let i = 0; i < 10; i++) shipper.offer(String(i));
  await until('all of them', () => taken.length === 10, { timeoutMs: 30_000 });
  assert.equal(taken.join(''), '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
  assert.deepEqual(shipper.counts, { name: 'test', waiting: 0, delivered: 10, dropped: 0 });
});

test('what finds no room is dropped at once, and its number is told in the log when there is room', async () => {
  const taken: string[] = [];
  const open = Promise.withResolvers<void>();
  await using shipper = new Shipper({
    ...quick,
    name: 'test',
    maxLines: 5,
    deliver: async lines => {
      await open.promise;
      taken.push(...lines);
    },
  });
  shipper.offer('first');
  await until('it to be on its way', () => shipper.counts.waiting === 1);
  for (let i = 0; i < 100; i++) shipper.offer(`line ${i}`);
  const { dropped } = shipper.counts;
  assert.ok(dropped >= 94, String(dropped));
  open.resolve();
  const told = await until('the loss to be told', () => taken.find(line => line.includes('RecordsDropped')), {
    timeoutMs: 30_000,
  });
  assert.equal(JSON.parse(told).dropped, dropped);
});

test('long lines count by their length', async () => {
  await using shipper = new Shipper({
    ...quick,
    name: 'test',
    maxChars: 1000,
    deliver: async () => undefined,
  });
  for (let i = 0; i < 10; i++) shipper.offer('x'.repeat(300));
  assert.equal(shipper.counts.dropped, 7);
});

test('a batch that will never be taken is dropped, and the next goes on', async () => {
  const taken: string[] = [];
  await using shipper = new Shipper({
    ...quick,
    name: 'test',
    batchLines: 1,
    deliver: async lines => {
      if (lines.some(line => line === 'bad\n')) throw terminal(badRequest('never'));
      taken.push(...lines);
    },
  });
  for (const line of ['one', 'bad', 'two']) shipper.offer(line);
  await until('the last', () => taken.includes('two\n'), { timeoutMs: 30_000 });
  assert.equal(shipper.counts.dropped, 1);
});

test('the end takes what is left along, and does not wait for ever', async () => {
  const taken: string[] = [];
  {
    await using shipper = new Shipper({
      ...quick,
      name: 'test',
      lingerMs: 60_000,
      deliver: async lines => void taken.push(...lines),
    });
    shipper.offer('last');
  }
  assert.deepEqual(taken, ['last\n']);
  const stuck = new Shipper({
    ...quick,
    name: 'test',
    flushMs: 50,
    deliver: (_lines, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  });
  stuck.offer('lost');
  await stuck[Symbol.asyncDispose]();
  assert.equal(stuck.counts.dropped, 1);
});
