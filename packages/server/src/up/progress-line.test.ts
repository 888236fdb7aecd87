/** What is said while Kubernetes is looked for, by the real search: in a fresh home nothing before something is done. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '@drover/base';
import { type BinaryProgress, findBinaries } from '@drover/engine';
import { progressLine } from './progress-line.ts';

test('that nothing is cached yet is told only where no other source has it', async t => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'drover-progress-'));
  t.after(() => rm(cacheDir, { recursive: true, force: true }));
  const seen: BinaryProgress[] = [];
  const error = await findBinaries({
    names: ['etcd'],
    cacheDir,
    dir: join(cacheDir, 'nothing-here'),
    moduleDir: cacheDir,
    allow: ['directory', 'cache', 'build'],
    onProgress: progress => seen.push(progress),
  }).catch(messageOf);
  const failed = seen.filter(({ state }) => state === 'failed');
  assert.deepEqual(
    failed.map(({ source }) => source),
    ['directory', 'cache', 'build'],
  );
  const told = failed.map(progressLine);
  assert.match(told[0]!, /^Kubernetes by directory is not to be had here: .*etcd/);
  assert.equal(told[1], undefined);
  assert.match(told[2]!, /^Kubernetes by build is not to be had here: there is no Go module/);
  assert.match(String(error), /cache: .* has no etcd/);
});

test('what is done is told with its place and its time', () => {
  const step = { source: 'download', step: 'download kit.tar.gz', n: 2, of: 3, elapsedMs: 4200 } as const;
  assert.equal(progressLine({ ...step, state: 'started' }), 'download kit.tar.gz (2 of 3, 4 s) …');
  assert.equal(progressLine({ ...step, state: 'running' }), undefined);
  assert.equal(progressLine({ ...step, of: 1, state: 'done' }), 'download kit.tar.gz (4 s) done');
});
