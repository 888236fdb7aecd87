/** The lines of shell do with real files what they are for, whatever those are called. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import {
  archiveCommand,
  listCommand,
  parseEntries,
  readCommand,
  readPath,
  sizeCommand,
  writeCommand,
} from './file-commands.ts';

const dir = mkdtempSync(join(tmpdir(), 'drover-files-'));
after(() => rmSync(dir, { recursive: true }));

const run = ([program, ...args]: string[], input = '') =>
  execFileSync(program!, args, { input, stdio: 'pipe' }).toString();

test('a folder is listed, and a name that is a command is only a name', () => {
  const name = '$(touch pwned) "x" 你好;';
  writeFileSync(join(dir, name), 'abc');
  const found = parseEntries(run(listCommand(dir)));
  assert.deepEqual(
    found.map(one => ({ ...one, modified: 0 })),
    [{ name, kind: 'file', size: 3, modified: 0 }],
  );
  assert.equal(run(sizeCommand(join(dir, name))).trim(), '3');
  assert.equal(run(readCommand(join(dir, name), 1)), 'bc');
  assert.ok(run(archiveCommand(dir)).includes(basename(dir)));
  assert.ok(run(archiveCommand(join(dir, name))).includes(name));
  assert.equal(parseEntries(run(listCommand(dir))).length, 1);
});

test('a file is written piece by piece, and a piece that does not come next is refused', () => {
  const path = join(dir, 'big');
  const write = (offset: number, text: string, isLast = false) =>
    run(writeCommand(path, { offset, length: text.length, isLast }), text).trim();
  assert.equal(write(0, 'one '), '4');
  assert.equal(write(9, 'later', true), '4');
  assert.equal(write(4, 'two', true), '7');
  assert.equal(readFileSync(path, 'utf8'), 'one two');
});

test('a path must be whole and in one line', () => {
  assert.equal(readPath('/etc/hosts'), '/etc/hosts');
  for (const path of [null, '', 'etc', '/a\n/b', `/${'x'.repeat(5000)}`])
    assert.throws(() => readPath(path), { reason: 'Invalid' });
});
