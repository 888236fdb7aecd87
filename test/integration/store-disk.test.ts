/** A full disk, on a real file system of a few megabytes: the write is refused, nothing is half-written, and space heals it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isUnavailable, messageOf } from '@drover/base';
import { openSqliteStore } from '@drover/store';

async function smallDisk(t: TestContext): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-disk-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`no file system can be mounted here: ${messageOf(error)}`);
    return undefined;
  }
  return folder;
}

test('on a full disk a write is refused by name, and everything goes on once there is space', async t => {
  const folder = await smallDisk(t);
  if (!folder) return;
  try {
    const path = join(folder, 'drover.db');
    await using store = await openSqliteStore({ path });
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of store.watch('k/', { signal: stop.signal }))
        if (event.type === 'put') seen.push(event.entry.key);
    })();
    const kept: string[] = [];
    const refusals: unknown[] = [];
    const filler = join(folder, 'filler');
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
  } finally {
    execFileSync('umount', [folder]);
  }
});
