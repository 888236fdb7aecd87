/** The checks of `./drover check`, side by side; each counts as one test. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../root.ts';
import { printFile, printSuite } from '../test/print.ts';
import { type Counts, count, type TestResult } from '../test/result.ts';
import { runFile } from '../test/run-file.ts';
import { trackedFileFaults } from './tracked-files.ts';

type Check = () => Promise<string | undefined>;

/** Each gives what is wrong, or undefined. */
const checks: Readonly<Record<string, Check>> = {
  'types (tsc)': () => command('typescript/bin/tsc', ['-p', '.']),
  'format and lint (biome)': () => command('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  'dead code and dependencies (knip)': () => command('knip/bin/knip.js', ['--no-progress']),
  layers: async () => {
    const { tests } = await runFile(join(root, 'test/layers.test.ts'), { root, timeoutMs: 60_000 });
    const failed = tests.filter(test => test.outcome === 'failed');
    return failed.length > 0 ? failed.map(test => `${test.name}\n${test.error}`).join('\n') : undefined;
  },
  'tracked files': async () => {
    const faults = await trackedFileFaults(root);
    return faults.length > 0 ? faults.join('\n') : undefined;
  },
};

/** Runs them all at once and prints those that failed. */
export async function runChecks(): Promise<Counts> {
  const started = performance.now();
  const tests = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<TestResult> => {
      const from = performance.now();
      const error = await check();
      return { name, outcome: error === undefined ? 'passed' : 'failed', ms: performance.now() - from, error };
    }),
  );
  for (const test of tests) printFile({ file: `check: ${test.name}`, tests: [test], ms: test.ms, output: '' });
  const counts = count(tests);
  printSuite('check', counts, performance.now() - started);
  return counts;
}

/** Runs a package's program on this Node; gives what it printed when it failed. */
async function command(program: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(process.execPath, [join(root, 'node_modules', program), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise;
  return code === 0 ? undefined : Buffer.concat(chunks).toString('utf8').trimEnd() || `exit code ${code}`;
}
