/** A bundle that somebody else made: its list is held to what a bundle can have, before anything in it is read or sent. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BundleFile } from './bundle.ts';
import { bundleId } from './manifest.ts';
import { openBundle, verifyBundle } from './open.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-bundle-'));
after(() => rm(dir, { recursive: true }));

const sha256 = '0'.repeat(64);
const good: BundleFile = { path: 'bin/kubelet', sha256, bytes: 1, executable: true };
const image = { name: 'drover.io/pause:1', path: 'images/pause.tar' };
const imageFile: BundleFile = { ...good, path: image.path, executable: false };

async function write(files: readonly BundleFile[], images: object = {}): Promise<void> {
  const manifest = { format: 1, id: bundleId(files), files, images };
  await writeFile(join(dir, 'bundle.json'), JSON.stringify(manifest));
}

test('a bundle’s own files are found, and what is missing is told', async () => {
  await write([good, imageFile], { pause: image });
  const bundle = await openBundle(dir);
  assert.equal(bundle.file('bin/kubelet'), join(dir, 'bin/kubelet'));
  assert.throws(() => bundle.file('bin/other'), /bin\/other/);
  assert.match((await verifyBundle(dir)).join('\n'), /bin\/kubelet can't be read/);
});

for (const path of [
  '../../etc/passwd',
  '/etc/passwd',
  'bin/../../x',
  'bin/..',
  'bin/a b',
  'bin/a;reboot',
  'other/a',
  '',
])
  test(`no file of a bundle may be ${JSON.stringify(path)}`, async () => {
    await write([{ ...good, path }]);
    await assert.rejects(openBundle(dir), /what no bundle has/);
  });

test('an image is one of the files and has a plain name', async () => {
  for (const wrong of [{ ...image, path: '../pause.tar' }, { ...image, name: 'pause:1; reboot' }, undefined, {}]) {
    await write([imageFile], { pause: wrong ?? null });
    await assert.rejects(openBundle(dir), /what no bundle has/);
  }
});

test('what is no manifest is said', async () => {
  for (const [text, message] of [
    ['null', /has format undefined/],
    ['{"format": 2}', /has format 2/],
    ['{"format": 1}', /what no bundle has/],
    ['{"format": 1, "files": [null]}', /what no bundle has/],
    ['{', /is not JSON/],
  ] as const) {
    await writeFile(join(dir, 'bundle.json'), text);
    await assert.rejects(openBundle(dir), message);
  }
});
