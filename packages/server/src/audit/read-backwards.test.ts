/** Reading an audit log from its end: every line once, through files that are set aside meanwhile, within bounds, and whole. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type LogPlace, lineAt, parsePlace, readBackwards } from './read-backwards.ts';
import { RotatingFile } from './rotating-file.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-audit-read-'));
});
after(() => rm(dir, { recursive: true, force: true }));

async function take(path: string, count: number, from?: LogPlace, bytes = 1 << 30) {
  const found: string[] = [];
  let last = from;
  const bounds = { bytes };
  for await (const { text, place } of readBackwards(path, from, bounds)) {
    found.push(text);
    last = place;
    if (found.length >= count) break;
  }
  return { found, last, left: bounds.bytes };
}

test('all lines come once, the newest first, over the files that were set aside and while they are', async () => {
  const path = join(dir, 'a.log');
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') };
  await using file = new RotatingFile({
    path,
    maxBytes: 4000,
    maxAgeMs: 0,
    maxBackups: 0,
    now: () => (clock.ms += 1000),
  });
  const lines = Array.from({ length: 300 }, (_, at) => `${at} ${'é'.repeat(at % 40)}`);
  for (const line of lines.slice(0, 290)) await file.append([`${line}\n`]);
  const newest = [...lines].reverse();
  const first = await take(path, 7);
  assert.deepEqual(first.found, newest.slice(10, 17));
  // More is written, and the file is set aside, between two looks.
  for (const line of lines.slice(290)) await file.append([`${line}\n`]);
  const rest = await take(path, 1000, first.last);
  assert.deepEqual(rest.found, newest.slice(17));
  assert.deepEqual((await take(path, 1000)).found, newest);
});

test('a line longer than a piece is whole, one that is far too long is passed over, half a line is there', async () => {
  const path = join(dir, 'b.log');
  const long = 'x'.repeat(200_000);
  await writeFile(path, `one\n${long}\n${'y'.repeat((1 << 20) + 70_000)}\nlast\nhalf`);
  assert.deepEqual((await take(path, 9)).found, ['half', 'last', long, 'one']);
});

test('what is read has a bound, and goes on from there', async () => {
  const path = join(dir, 'c.log');
  await writeFile(path, Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`).join(''));
  const first = await take(path, 1e6, undefined, 100_000);
  assert.ok(first.left <= 0 && first.found.length < 20_000);
  const rest = await take(path, 1e6, first.last);
  assert.equal(first.found.length + rest.found.length, 20_000);
  assert.equal(rest.found.at(-1), 'line 0');
});

test('one line is found by its place; between lines, in a file that is gone, and where it is no place, there is none', async () => {
  const path = join(dir, 'd.log');
  await writeFile(path, 'first\nsecond\n');
  const { ino } = await stat(path);
  const at = (offset: number, file = ino) => lineAt(path, { ino: file, offset });
  assert.deepEqual([await at(0), await at(6), await at(8)], ['first', 'second', undefined]);
  await appendFile(path, 'half');
  assert.deepEqual([await at(13), await at(6, ino + 1), await at(500)], [undefined, undefined, undefined]);
  assert.deepEqual((await take(path, 9, { ino: ino + 1, offset: 5 })).found, []);
  assert.throws(() => parsePlace('../../etc/passwd', 'at'), /at: must be a place/);
});

test('a log that is not there has no lines', async () => {
  assert.deepEqual((await take(join(dir, 'none.log'), 9)).found, []);
});
