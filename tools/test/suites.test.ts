/** Which files a suite has, and in which order they begin. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { filesOf } from './suites.ts';

const suite = { name: 'e2e', globs: ['t/**/*.test.ts'], concurrency: 2, timeoutMs: 1, first: '/long.' };
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-suites-'));
  await mkdir(join(dir, 't/more'), { recursive: true });
  for (const name of ['b.test.ts', 'more/a.test.ts', 'long.test.ts', 'a.test.ts', 'world.ts'])
    await writeFile(join(dir, 't', name), '');
});
after(() => rm(dir, { recursive: true }));

test('the longest file of a suite is begun first, the others by their names', () => {
  const names = (only: readonly string[] = []) => filesOf(suite, dir, only).map(file => file.slice(dir.length + 3));
  assert.deepEqual(names(), ['long.test.ts', 'a.test.ts', 'b.test.ts', 'more/a.test.ts']);
  assert.deepEqual(names(['/a.']), ['a.test.ts', 'more/a.test.ts']);
});
