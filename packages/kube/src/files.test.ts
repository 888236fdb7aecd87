/** Files that are whole or not there: content, mode and links, many writers at once, and nothing left of a failure. */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readFileIfThere, writeFileAtomic } from './files.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-files-'));
});
after(() => rm(dir, { recursive: true, force: true }));

test('a file is made with its directories and replaced whole, its owner’s alone whatever it was before', async () => {
  const path = join(dir, 'a', 'b', 'file');
  assert.equal(await readFileIfThere(path), undefined);
  await writeFileAtomic(path, 'one');
  await chmod(path, 0o644);
  await writeFileAtomic(path, 'two');
  assert.equal(await readFileIfThere(path), 'two');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(dir, 'a', 'b')), ['file']);
});

test('where it is a link, the link stays', async () => {
  const [real, link] = [join(dir, 'real'), join(dir, 'link')];
  await writeFile(real, 'old');
  await symlink(real, link);
  await writeFileAtomic(link, 'new');
  assert.equal(await readFile(real, 'utf8'), 'new');
  assert.ok((await lstat(link)).isSymbolicLink());
});

test('of many writers at once one wins, and no reader sees a half', async () => {
  const path = join(dir, 'contended');
  const texts = Array.from({ length: 20 }, (_, n) => String(n).padEnd(100_000, 'x'));
  await Promise.all(
    texts.map(async text => {
      await writeFileAtomic(path, text);
      assert.ok(texts.includes((await readFileIfThere(path))!));
    }),
  );
  assert.deepEqual(
    (await readdir(dir)).filter(name => name.startsWith('contended')),
    ['contended'],
  );
});

test('what can not be written leaves what was there, and nothing beside it', async () => {
  const path = join(dir, 'folder');
  await writeFileAtomic(join(path, 'inside'), 'x');
  await assert.rejects(writeFileAtomic(path, 'y'), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(await readdir(path), ['inside']);
  assert.deepEqual(
    (await readdir(dir)).filter(name => name.endsWith('.tmp')),
    [],
  );
});
