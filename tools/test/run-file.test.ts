/** The runner tells what really came of a file: real test files, written here, run by it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { closingLine, count, exitCode } from './result.ts';
import { runFile } from './run-file.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-run-file-'));
});
after(() => rm(dir, { recursive: true }));

async function run(name: string, body: string, timeoutMs = 20_000) {
  const file = join(dir, `${name}.test.ts`);
  await writeFile(
    file,
    `import assert from 'node:assert/strict';\nimport { describe, test } from 'node:test';\n${body}`,
  );
  return runFile(file, { root: dir, timeoutMs });
}

test('passed, failed, skipped and todo tests are told apart, nested names are whole, blocks are not counted', async () => {
  const { tests } = await run(
    'mixed',
    `describe('block', () => {
      test('good', () => {});
      test('bad', () => assert.equal(1, 2));
      test('later', { skip: 'no such machine' }, () => {});
      test('idea', { todo: true }, () => assert.fail());
    });`,
  );
  const shown = tests.filter(each => !each.suite).map(({ name, outcome, reason }) => [name, outcome, reason]);
  assert.deepEqual(shown, [
    ['block › good', 'passed', undefined],
    ['block › bad', 'failed', undefined],
    ['block › later', 'skipped', 'no such machine'],
    ['block › idea', 'skipped', undefined],
  ]);
  assert.match(tests.find(each => each.name === 'block › bad')!.error!, /1 !== 2/);
});

test('what a test prints cannot be taken for a result', async () => {
  const { tests, output } = await run(
    'noisy',
    `test('t', () => console.log('{"name":"x","outcome":"failed"}\\n9 failed'));`,
  );
  assert.deepEqual(count(tests), { passed: 1, failed: 0, skipped: 0 });
  assert.match(output, /9 failed/);
});

for (const [what, body, says] of [
  ['has no tests', 'console.log(assert, describe, test);', /no tests/],
  ['throws at its top', "throw new Error('early');", /exit code 1|early/],
  ['ends the process early', "test('t', () => {}); process.exit(3);", /exit code 3|failed/],
] as const) {
  test(`a file that ${what} fails`, async () => {
    const { tests } = await run(what.replaceAll(' ', '-'), body);
    assert.ok(count(tests).failed > 0);
    assert.match(JSON.stringify(tests), says);
  });
}

test('a file that hangs is ended with what it started, even in another session', async () => {
  const pidFile = join(dir, 'pid');
  const { tests } = await run(
    'hangs',
    `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     test('t', () => {
       const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
       writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
       return new Promise(resolve => setTimeout(resolve, 600_000));
     });`,
    1500,
  );
  assert.match(tests.at(-1)!.error!, /killed after 1.5 s/);
  const pid = Number(await readFile(pidFile, 'utf8'));
  await until('the child to be gone', () => !alive(pid));
});

test('a file that leaves a process behind fails, and the process is ended', async () => {
  const { tests } = await run(
    'leaves',
    `import { spawn } from 'node:child_process';
     test('t', () => { spawn('sleep', ['600'], { stdio: 'ignore' }).unref(); });`,
  );
  assert.match(tests.at(-1)!.error!, /left processes running/);
});

test('the closing line counts, and only a run with passes and no failure is a success', () => {
  assert.equal(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
  assert.equal(closingLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped');
  assert.equal(exitCode({ passed: 1, failed: 0, skipped: 5 }), 0);
  assert.equal(exitCode({ passed: 0, failed: 0, skipped: 5 }), 1);
  assert.equal(exitCode({ passed: 9, failed: 1, skipped: 0 }), 1);
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a file that is asked only whether a test fails ends with the first that does', async () => {
  const file = join(dir, 'until-failure.test.ts');
  const body = `import assert from 'node:assert/strict';
import { test } from 'node:test';
test('bad', () => assert.fail());
test('long', () => new Promise(resolve => setTimeout(resolve, 60_000)));`;
  await writeFile(file, body);
  const { tests, ms } = await runFile(file, { root: dir, timeoutMs: 50_000, untilFailure: true });
  assert.deepEqual(
    tests.map(each => each.name),
    ['bad'],
  );
  assert.ok(ms < 50_000);
});
