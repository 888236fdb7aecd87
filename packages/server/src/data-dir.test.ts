/** The data directory: what is taken, and what is refused before anything is written into it. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDir } from './data-dir.ts';

async function scratch(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'drover-data-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('a missing directory is made private and can be opened again', async () => {
  await using dir = await scratch();
  const path = join(dir.path, 'a', 'b');
  await openDataDir(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await openDataDir(path);
});

test("somebody else's directory is left untouched", async () => {
  await using dir = await scratch();
  await writeFile(join(dir.path, 'thesis.doc'), '');
  await assert.rejects(openDataDir(dir.path), { message: /is not a Drover data directory \(thesis\.doc/ });
  assert.deepEqual(await readdir(dir.path), ['thesis.doc']);
});

test('a directory of a newer format is refused', async () => {
  await using dir = await scratch();
  await writeFile(join(dir.path, 'drover.json'), '{"format":99}');
  await assert.rejects(openDataDir(dir.path), { message: /written by a newer Drover \(format 99/ });
});

test('a damaged marker is refused', async () => {
  await using dir = await scratch();
  await writeFile(join(dir.path, 'drover.json'), '{"form');
  await assert.rejects(openDataDir(dir.path), { message: /drover\.json is damaged/ });
});

test('a directory that others can write to is refused', async () => {
  await using dir = await scratch();
  await chmod(dir.path, 0o777);
  await assert.rejects(openDataDir(dir.path), { message: /chmod 700/ });
});

test('a file in its place is refused', async () => {
  await using dir = await scratch();
  await writeFile(join(dir.path, 'file'), '');
  await assert.rejects(openDataDir(join(dir.path, 'file')), { reason: 'Invalid', message: /--data-dir: can't use/ });
});
