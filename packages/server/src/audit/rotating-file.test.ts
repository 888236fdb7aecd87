/** The file: lines whole, set aside when it is large, forgotten by age and number, opened anew when it was moved. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RotatingFile } from './rotating-file.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-audit-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const dayMs = 86_400_000;
const base = { maxBytes: 1000, maxAgeMs: 0, maxBackups: 0 };

test('lines are added, the file is its owner’s alone, and it goes on where it was', async () => {
  const path = join(dir, 'a', 'audit.log');
  {
    await using file = new RotatingFile({ ...base, path });
    await file.append(['one\n']);
    await file.append(['two\n', 'three\n']);
  }
  await using file = new RotatingFile({ ...base, path });
  await file.append(['four\n']);
  assert.equal(await readFile(path, 'utf8'), 'one\ntwo\nthree\nfour\n');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a file that would be too large is set aside, and only so many are kept', async () => {
  const path = join(dir, 'b', 'audit.log');
  let now = Date.parse('2026-01-01T00:00:00Z');
  await using file = new RotatingFile({ ...base, path, maxBackups: 2, now: () => now });
  for (let i = 0; i < 6; i++) {
    now += dayMs / 24;
    await file.append([`${i}${'x'.repeat(900)}\n`]);
  }
  const names = (await readdir(join(dir, 'b'))).sort();
  assert.deepEqual(names, ['audit-2026-01-01T05-00-00.000.log', 'audit-2026-01-01T06-00-00.000.log', 'audit.log']);
  assert.match(await readFile(path, 'utf8'), /^5x+\n$/);
  assert.match(await readFile(join(dir, 'b', names[1]!), 'utf8'), /^4x+\n$/);
});

test('what was set aside too long ago is removed; what is not ours stays', async () => {
  const path = join(dir, 'c', 'audit.log');
  let now = Date.parse('2026-01-20T00:00:00Z');
  {
    await using file = new RotatingFile({ ...base, path });
    await file.append(['x\n']);
  }
  for (const name of ['audit-2026-01-01T00-00-00.000.log', 'audit-2026-01-19T00-00-00.000.log', 'audit-notes.log'])
    await writeFile(join(dir, 'c', name), '');
  await using file = new RotatingFile({ ...base, path, maxAgeMs: 10 * dayMs, now: () => now });
  await file.append(['y\n']);
  assert.deepEqual((await readdir(join(dir, 'c'))).sort(), [
    'audit-2026-01-19T00-00-00.000.log',
    'audit-notes.log',
    'audit.log',
  ]);
  now += 20 * dayMs;
  await file.append(['z\n']);
  assert.deepEqual((await readdir(join(dir, 'c'))).sort(), ['audit-notes.log', 'audit.log']);
});

test('a file that somebody moved away is opened anew', async () => {
  const path = join(dir, 'd', 'audit.log');
  await using file = new RotatingFile({ ...base, path });
  await file.append(['one\n']);
  await rename(path, `${path}.moved`);
  await file.append(['two\n']);
  assert.equal(await readFile(path, 'utf8'), 'two\n');
  assert.equal(await readFile(`${path}.moved`, 'utf8'), 'one\n');
});
