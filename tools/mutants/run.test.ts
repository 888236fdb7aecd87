/** A mutant is judged on a copy of the checkout: a guard in one package, taken out, seen by another package's test. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { StatusError } from '@drover/base';
import { parseMutants } from './mutant.ts';
import { type JudgeOptions, judgeMutants } from './run.ts';

let root: string;

const testFile = (assertion: string) =>
  [
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    "import { allowed } from '@drover/one';",
    `test('t', () => ${assertion});\n`,
  ].join('\n');

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'drover-mutants-test-'));
  const guard =
    '/** Guard. */\nexport function allowed(n: number): boolean {\n  if (n > 10) return false;\n  return true;\n}\n';
  const files = {
    'packages/one/package.json': '{"name":"@drover/one","type":"module","exports":"./src/index.ts"}',
    'packages/one/src/index.ts': guard,
    'packages/two/package.json': '{"name":"@drover/two","type":"module"}',
    'packages/two/src/good.test.ts': testFile('assert.equal(allowed(11), false)'),
    'packages/two/src/blind.test.ts': testFile('assert.equal(allowed(1), true)'),
    'packages/two/src/broken.test.ts': testFile('assert.fail()'),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await mkdir(join(root, 'node_modules/@drover'), { recursive: true });
  for (const name of ['one', 'two']) await symlink(`../../packages/${name}`, join(root, 'node_modules/@drover', name));
});
after(() => rm(root, { recursive: true }));

const guardless = { file: 'packages/one/src/index.ts', find: '  if (n > 10) return false;\n', replace: '' };

async function judge(mutant: object) {
  const [result] = await judgeMutants(parseMutants('sample.json', { ...guardless, ...mutant }), { root });
  return [result!.outcome, result!.error ?? ''] as const;
}

test('a guard that a test watches over is caught, also across packages', async () => {
  assert.deepEqual(await judge({ test: 'packages/two/src/good.test.ts' }), ['passed', '']);
});

test('a guard that no test watches over survives, and that is a failure', async () => {
  const [outcome, error] = await judge({ test: 'packages/two/src/blind.test.ts' });
  assert.equal(outcome, 'failed');
  assert.match(error, /survived/);
});

test('a test that fails anyway proves nothing', async () => {
  assert.match((await judge({ test: 'packages/two/src/broken.test.ts' }))[1], /fails with the guard in place/);
});

test('a guard that does not stand there exactly once is a failure', async () => {
  const [, error] = await judge({ test: 'packages/two/src/good.test.ts', find: 'no such text' });
  assert.match(error, /exactly once .* not 0 times/);
});

test('a mutant without a test is refused by field', () => {
  assert.throws(
    () => parseMutants('sample.json', guardless),
    error => error instanceof StatusError && /sample.json\[0\].test/.test(error.message),
  );
});

test('what fails by chance is tried once more alone', async () => {
  const mark = join(root, 'mark');
  const body = `import fs from 'node:fs';
let tries = 0;
try { tries = Number(fs.readFileSync(${JSON.stringify(mark)}, 'utf8')); } catch {}
fs.writeFileSync(${JSON.stringify(mark)}, String(tries + 1));
// The second run is the first of the mutant.
${testFile('tries !== 1 && assert.equal(allowed(11), false)')}`;
  await writeFile(join(root, 'packages/two/src/chance.test.ts'), body);
  const told: string[] = [];
  const mutants = parseMutants('sample.json', { ...guardless, test: 'packages/two/src/chance.test.ts' });
  const onResult: JudgeOptions['onResult'] = (result, first) => told.push(`${first?.outcome} ${result.outcome}`);
  const [result] = await judgeMutants(mutants, { root, onResult });
  assert.equal(result!.outcome, 'passed');
  assert.deepEqual(told, ['undefined failed', 'failed passed']);
});
