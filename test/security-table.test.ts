/**
 * Holds docs/security-tests.md to what is there: every test and every mutant that it names exists, and none of its rows lacks
 * either; and every mutant finds what it takes out.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const wanted = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
  33, 34, 35, 42, 43, 44, 45, 46, 52, 53, 54, 55, 56, 57,
].map(number => `T${number}`);

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
}

interface Row {
  readonly number: string;
  readonly tests: readonly { readonly file: string; readonly names: readonly string[] }[];
  readonly mutants: readonly string[];
}

const quoted = (text: string) => [...text.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);

function readRows(): Row[] {
  const lines = readFileSync(join(root, 'docs/security-tests.md'), 'utf8').split('\n');
  return lines
    .filter(line => /^\| T\d+ /.test(line))
    .map(line => {
      const cells = line
        .slice(1, line.lastIndexOf('|'))
        .split(' | ')
        .map(cell => cell.trim());
      const [number = '', , tests = '', mutants = ''] = cells;
      const files = tests.split('; ').map(part => ({ file: /`([^`]+)`/.exec(part)?.[1] ?? part, names: quoted(part) }));
      return { number, tests: files, mutants: quoted(mutants) };
    });
}

const rows = readRows();
const mutants = new Set(
  globSync('test/mutants/*.json', { cwd: root }).flatMap(file =>
    [JSON.parse(readFileSync(join(root, file), 'utf8')) as { name: string } | { name: string }[]]
      .flat()
      .map(({ name }) => name),
  ),
);

test('every guard that must be proven has its row', () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    wanted,
  );
});

for (const { number, tests, mutants: named } of rows) {
  test(`${number}: its tests and mutants are there`, () => {
    assert.ok(tests.length > 0 && named.length > 0);
    for (const { file, names } of tests) {
      const text = readFileSync(join(root, file), 'utf8');
      assert.ok(names.length > 0, `${file} without a test's name`);
      for (const name of names) assert.ok(text.includes(name), `${file} has no test "${name}"`);
    }
    for (const name of named) assert.ok(mutants.has(name), `no mutant "${name}"`);
  });
}

test('what each mutant takes out stands exactly once where it says', () => {
  for (const file of globSync('test/mutants/*.json', { cwd: root })) {
    const read = JSON.parse(readFileSync(join(root, file), 'utf8')) as Mutant | Mutant[];
    for (const mutant of [read].flat()) {
      const times = readFileSync(join(root, mutant.file), 'utf8').split(mutant.find).length - 1;
      assert.equal(times, 1, `${file}: "${mutant.name}" in ${mutant.file}`);
    }
  }
});
