/** Bundles as one file: whole there and back, and refused with nothing kept where a byte or an entry is not as its list says. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pack } from 'tar-stream';
import { bundleId } from './manifest.ts';
import { unpackBundle, writeBundleTar } from './tar.ts';

const contents = { 'bin/kubelet': 'a kubelet', 'images/pause.tar': 'an image' };

function listOf(files: Readonly<Record<string, string>>): string {
  const listed = Object.entries(files).map(([path, content]) => ({
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
    executable: path.startsWith('bin/'),
  }));
  const versions = { kubernetes: 'v1.37.2' };
  return JSON.stringify({ format: 1, id: bundleId(listed), files: listed, images: {}, versions });
}

async function place(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-tar-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

/** A tar of these entries, in their order. */
async function tarWith(path: string, entries: readonly (readonly [name: string, content: string])[]): Promise<void> {
  const tar = pack();
  for (const [name, content] of entries) tar.entry({ name }, content);
  tar.finalize();
  await writeFile(path, Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>)));
}

test('a bundle goes into one file and comes out the same, once', async t => {
  const dir = await place(t);
  const bundle = join(dir, 'bundle');
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(join(bundle, path, '..'), { recursive: true });
    await writeFile(join(bundle, path), content);
  }
  await writeFile(join(bundle, 'bundle.json'), listOf(contents));
  await writeBundleTar(bundle, join(dir, 'a.tar'));
  await writeBundleTar(bundle, join(dir, 'b.tar'));
  assert.deepEqual(await readFile(join(dir, 'a.tar')), await readFile(join(dir, 'b.tar')));
  const out = await unpackBundle(join(dir, 'a.tar'), join(dir, 'into'));
  for (const [path, content] of Object.entries(contents))
    assert.equal(await readFile(join(out, path), 'utf8'), content);
  assert.equal((await stat(join(out, 'bin/kubelet'))).mode & 0o111, 0o111);
  const before = await stat(join(out, 'bin/kubelet'));
  assert.equal(await unpackBundle(join(dir, 'b.tar'), join(dir, 'into')), out);
  assert.equal((await stat(join(out, 'bin/kubelet'))).ino, before.ino);
});

const list = ['bundle.json', listOf(contents)] as const;
const kubelet = ['bin/kubelet', contents['bin/kubelet']] as const;
const image = ['images/pause.tar', contents['images/pause.tar']] as const;

for (const [what, entries, message] of [
  ['a file that was changed', [list, ['bin/kubelet', 'b kubelet'], image], /damaged/],
  ['a file of another length', [list, ['bin/kubelet', 'longer than it was'], image], /which its list has not/],
  ['a file that no list names', [list, kubelet, ['bin/other', 'x'], image], /bin\/other/],
  ['a file that comes twice', [list, kubelet, kubelet, image], /bin\/kubelet/],
  ['a way out of the folder', [list, ['../kubelet', 'a kubelet'], image], /\.\.\/kubelet/],
  ['an end before the end', [list, kubelet], /ends before images\/pause\.tar/],
  ['no list in front', [kubelet, list, image], /does not begin with bundle\.json/],
  ['a list with a way out', [['bundle.json', listOf({ '../x': 'y' })]], /what no bundle has/],
  ['nothing', [], /is empty/],
] as const)
  test(`${what} is refused, and nothing of it is kept`, async t => {
    const dir = await place(t);
    await tarWith(join(dir, 'a.tar'), entries);
    await assert.rejects(unpackBundle(join(dir, 'a.tar'), join(dir, 'into')), message);
    assert.deepEqual(
      (await readdir(join(dir, 'into'))).filter(name => !name.startsWith('.lock')),
      [],
    );
  });

test('what is no tar is said', async t => {
  const dir = await place(t);
  await writeFile(join(dir, 'a.tar'), 'no tar at all'.repeat(100));
  await assert.rejects(unpackBundle(join(dir, 'a.tar'), join(dir, 'into')), /a\.tar (can't be unpacked|is empty)/);
});
