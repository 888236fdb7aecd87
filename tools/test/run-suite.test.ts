/** A suite's sum: what fails once and passes alone is no failure, what fails twice is. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { runSuite } from './run-suite.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-run-suite-'));
});
after(() => rm(dir, { recursive: true }));

async function run(files: Readonly<Record<string, string>>) {
  const log = mock.method(console, 'log', () => {});
  try {
    const paths = Object.keys(files).map(name => join(dir, `${name}.test.ts`));
    const head =
      "import assert from 'node:assert/strict';\nimport fs from 'node:fs';\nimport { test } from 'node:test';\n";
    for (const [n, body] of Object.values(files).entries()) await writeFile(paths[n]!, head + body);
    const suite = { name: 'unit', globs: [], concurrency: 2, timeoutMs: 20_000 };
    const result = await runSuite(suite, paths, { signal: new AbortController().signal, root: dir });
    return { ...result, printed: log.mock.calls.map(call => call.arguments.join(' ')).join('\n') };
  } finally {
    log.mock.restore();
  }
}

test('a file that fails beside others and passes alone is counted as passed, and named', async () => {
  const mark = JSON.stringify(join(dir, 'mark'));
  const body = `test('first time unlucky', () => {
    const again = fs.existsSync(${mark});
    fs.writeFileSync(${mark}, '');
    assert.ok(again);
  });
  test('good', () => {});`;
  const { counts, failed, printed } = await run({ unlucky: body, good: "test('t', () => {});" });
  assert.deepEqual(counts, { passed: 3, failed: 0, skipped: 0 });
  assert.deepEqual(failed, []);
  assert.match(printed, /~ unlucky\.test\.ts passed when it ran again alone; at first failed: first time unlucky/);
});

test('a file that fails twice is failed, and handed on to be shown at the end', async () => {
  const { counts, failed } = await run({ bad: "test('never', () => assert.fail('so it is'));" });
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(
    failed.map(result => result.file),
    ['bad.test.ts'],
  );
});
