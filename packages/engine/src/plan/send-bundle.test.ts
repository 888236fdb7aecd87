/** What a host fetches by itself counts only by its checksum, and what it can't fetch is left for whoever sends it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectLocal } from '../hosts/index.ts';
import { fetchAll } from './send-bundle.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-fetch-'));
after(() => rm(dir, { recursive: true }));
const skip = process.getuid?.() !== 0 ? 'has to be root' : !existsSync('/usr/bin/curl') && 'curl is not installed';

const sumOf = (text: string) => createHash('sha256').update(text).digest('hex');
const file = (name: string, text: string) => ({
  ...{ path: `bin/${name}`, bytes: text.length, executable: name === 'a' },
  sha256: sumOf(text),
});

test('files are fetched by their checksum; from the first that can not be, all are left to be sent', {
  skip,
}, async () => {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  await mkdir(from);
  await mkdir(join(to, 'bin'), { recursive: true });
  const [a, b, c] = [file('a', 'first'), file('b', 'second'), file('c', 'third')];
  await writeFile(join(from, a.sha256), 'first');
  await writeFile(join(from, b.sha256), 'something else');
  await writeFile(join(from, c.sha256), 'third');
  const told: string[] = [];
  const origin = { url: `file://${from}`, onFailed: (message: string) => told.push(message) };
  await using machine = connectLocal();
  const fetching = { executor: { ...machine, origin }, dir: to, signal: undefined };
  assert.deepEqual(await fetchAll([a, b, c], fetching), [b, c]);
  assert.equal(await readFile(join(to, 'bin/a'), 'utf8'), 'first');
  assert.equal((await stat(join(to, 'bin/a'))).mode & 0o777, 0o755);
  assert.deepEqual(await readdir(join(to, 'bin')), ['a'], 'what is not as it should be is not kept');
  assert.match(told.join(), /^bin\/b: .*FAILED/);
  assert.deepEqual(
    await fetchAll([c], { ...fetching, executor: { ...machine, origin: { ...origin, url: `file://${dir}/none` } } }),
    [c],
  );
  assert.match(told[1]!, /^bin\/c: curl: /);
  for (const begun of ['thi', 'third', 'something longer']) {
    await writeFile(join(to, `bin/.${c.sha256}.part`), begun);
    assert.deepEqual(await fetchAll([c], fetching), [], `begun with ${begun}`);
    assert.equal(await readFile(join(to, 'bin/c'), 'utf8'), 'third');
  }
  assert.deepEqual(await fetchAll([a], { ...fetching, executor: machine }), [a], 'who has no origin fetches nothing');
});
