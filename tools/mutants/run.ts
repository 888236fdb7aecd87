/** Runs every mutant: with its guard gone, the test named with it must fail; with the guard in place it must pass. */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@drover/base';
import { root } from '../root.ts';
import { pool } from '../test/pool.ts';
import { printFile, printSuite } from '../test/print.ts';
import { add, type Counts, count, type FileResult, nothing, type TestResult } from '../test/result.ts';
import { runFile } from '../test/run-file.ts';
import { suiteOf } from '../test/suites.ts';
import { copyTree } from './copy-tree.ts';
import { type Mutant, mutate, readMutants } from './mutant.ts';

const workers = 2;
/** A test that hangs without its guard has caught it; there is no need to wait for it as long as for a whole suite. */
const longestMs = 180_000;

/** Runs the mutants whose name, file or test contains one of `only` (all when that is empty); each counts as one test. */
export async function runMutants({ only, signal }: { only: readonly string[]; signal: AbortSignal }): Promise<Counts> {
  const started = performance.now();
  const wanted = (mutant: Mutant) =>
    only.length === 0 ||
    only.some(part => [mutant.name, mutant.source, mutant.file, ...mutant.tests].some(text => text.includes(part)));
  const mutants = readMutants(root).filter(wanted);
  if (mutants.length === 0) return nothing;
  const onResult = (result: TestResult) =>
    printFile({ file: `mutant: ${result.name}`, tests: [result], ms: result.ms, output: '' });
  const counts = count(await judgeMutants(mutants, { root, signal, onResult }));
  printSuite('mutants', counts, performance.now() - started);
  return counts;
}

export interface JudgeOptions {
  readonly root: string;
  readonly signal?: AbortSignal;
  readonly onResult?: (result: TestResult) => void;
}

/** Judges each mutant in a copy of the checkout at `root`: passed = caught. */
export async function judgeMutants(mutants: readonly Mutant[], options: JudgeOptions): Promise<TestResult[]> {
  const { signal = new AbortController().signal, onResult } = options;
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'drover-mutants-')));
  try {
    const trees = Array.from({ length: Math.min(workers, mutants.length) }, (_, n) => join(dir, String(n)));
    for (const tree of trees) await copyTree(options.root, tree);
    const baselines = new Map<string, Promise<string | undefined>>();
    const results: TestResult[] = [];
    await pool(mutants, workers, async (mutant, worker) => {
      if (signal.aborted) return;
      const result = await verdict(mutant, { tree: trees[worker]!, baselines, signal });
      results.push(result);
      onResult?.(result);
    });
    return results;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Bench {
  /** A copy of the checkout that no other worker touches. */
  readonly tree: string;
  /** Per set of tests: why it is of no use without any mutation, or undefined when it passes. */
  readonly baselines: Map<string, Promise<string | undefined>>;
  readonly signal: AbortSignal;
}

async function verdict(mutant: Mutant, bench: Bench): Promise<TestResult> {
  const started = performance.now();
  const result = (outcome: TestResult['outcome'], text?: string): TestResult => ({
    name: mutant.name,
    outcome,
    ms: performance.now() - started,
    [outcome === 'skipped' ? 'reason' : 'error']: text,
  });
  const key = JSON.stringify([mutant.tests, mutant.testName]);
  if (!bench.baselines.has(key)) bench.baselines.set(key, baseline(mutant, bench));
  const useless = await bench.baselines.get(key)!;
  if (useless !== undefined) return result(useless.startsWith('skipped') ? 'skipped' : 'failed', useless);

  const path = join(bench.tree, mutant.file);
  try {
    const source = await readFile(path, 'utf8');
    const mutated = mutate(source, mutant);
    try {
      await writeFile(path, mutated);
      const runs = await runTests(mutant, bench);
      const caught = runs.some(run => count(run.tests).failed > 0);
      if (bench.signal.aborted) return result('failed', 'stopped before it ended');
      return caught
        ? result('passed')
        : result('failed', `survived: ${mutant.tests.join(', ')} passes without the guard`);
    } finally {
      await writeFile(path, source);
    }
  } catch (error) {
    return result('failed', messageOf(error));
  }
}

/** A test that fails or skips anyway proves nothing about the guard. It has two tries, as in its own suite. */
async function baseline(mutant: Mutant, bench: Bench): Promise<string | undefined> {
  let runs = await runTests(mutant, bench);
  if (runs.some(run => count(run.tests).failed > 0)) runs = await runTests(mutant, bench);
  const counts = runs.map(run => count(run.tests)).reduce(add, nothing);
  const broken = runs.flatMap(run => run.tests).find(test => test.outcome === 'failed');
  if (broken) return `fails with the guard in place: ${broken.name}: ${broken.error}`;
  const skipped = runs.flatMap(run => run.tests).find(test => test.outcome === 'skipped');
  if (counts.passed === 0)
    return skipped ? `skipped: ${skipped.reason ?? skipped.name}` : `no test matches ${mutant.testName}`;
  return undefined;
}

async function runTests(mutant: Mutant, { tree, signal }: Bench): Promise<FileResult[]> {
  const runs: FileResult[] = [];
  for (const test of mutant.tests) {
    const timeoutMs = Math.min(suiteOf(test).timeoutMs, longestMs);
    runs.push(await runFile(join(tree, test), { root: tree, timeoutMs, testName: mutant.testName, signal }));
  }
  return runs;
}
