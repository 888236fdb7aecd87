/** A full disk, on a real file system of a few megabytes: the write is refused, nothing is half-written, and space heals it. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUnavailable, messageOf } from '@drover/base';
import { openSqliteStore } from '@drover/store';
import { mountSmallDisk } from './small-disk.ts';

test('on a full disk a write is refused by name, and everything goes on once there is space', async t => {
  using disk = await mountSmallDisk(t, '8m');
  if (!disk) return;
  const path = join(disk.dir, 'drover.db');
  await using store = await openSqliteStore({ path });
  const seen: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of store.watch('k/', { signal: stop.signal }))
      if (event.type === 'put') seen.push(event.entry.key);
  })();
  const kept: string[] = [];
  const refusals: unknown[] = [];
  const filler = join(disk.dir, 'filler');
  await writeFile(filler, Buffer.alloc(4 * 1024 * 1024));
  for (let at = 0; at < 30 && refusals.length < 3; at += 1) {
    const keys = Array.from({ length: 4 }, (_, place) => `k/${at}-${place}`);
    const results = await Promise.allSettled(keys.map(key => store.create(key, 'x'.repeat(100_000))));
    for (const [place, result] of results.entries()) {
      if (result.status === 'fulfilled') kept.push(keys[place]!);
      else refusals.push(result.reason);
    }
  }
  assert.ok(refusals.length >= 3, 'the disk was full');
  for (const refusal of refusals)
    assert.ok(isUnavailable(refusal) && refusal.message.includes(path), messageOf(refusal));
  const listed = async () => (await store.list('k/')).entries.map(({ key }) => key).sort();
  assert.deepEqual(await listed(), [...kept].sort());

  await rm(filler);
  kept.push((await store.create('k/after', 'x'.repeat(100_000))).key);
  assert.deepEqual(await listed(), [...kept].sort());
  stop.abort();
  await watching;
  assert.deepEqual(seen, kept);
});
