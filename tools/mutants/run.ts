/**
 * Runs every mutant: with its guard gone, the test named with it must fail; with the guard in place it must pass. What
 * goes wrong beside another is tried once more alone, and shown again at the end of the run, like files of a suite.
 */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@drover/base';
import { root } from '../root.ts';
import { pool } from '../test/pool.ts';
import { printFile, printFlaky, printSuite } from '../test/print.ts';
import { add, count, type FileResult, nothing, type TestResult } from '../test/result.ts';
import { runFile } from '../test/run-file.ts';
import type { SuiteResult } from '../test/run-suite.ts';
import { suiteOf } from '../test/suites.ts';
import { copyTree } from './copy-tree.ts';
import { type Mutant, mutate, readMutants } from './mutant.ts';

const workers = 2;
/** A test that hangs without its guard has caught it: how long it may take at most, and beside how long it took with the guard. */
const longestMs = 180_000;
const patienceOf = (baselineMs: number) => Math.min(longestMs, 20_000 + 5 * baselineMs);

/** Runs the mutants whose name, file or test contains one of `only` (all when that is empty); each counts as one test. */
export async function runMutants(options: { only: readonly string[]; signal: AbortSignal }): Promise<SuiteResult> {
  const { only, signal } = options;
  const started = performance.now();
  const wanted = (mutant: Mutant) =>
    only.length === 0 ||
    only.some(part => [mutant.name, mutant.source, mutant.file, ...mutant.tests].some(text => text.includes(part)));
  const mutants = readMutants(root).filter(wanted);
  if (mutants.length === 0) return { counts: nothing, failed: [] };
  const asFile = (result: TestResult): FileResult => ({
    file: `mutant: ${result.name}`,
    tests: [result],
    ms: result.ms,
    output: '',
  });
  const results = await judgeMutants(mutants, {
    root,
    signal,
    onResult: (result, first) => {
      printFile(asFile(result));
      if (first && result.outcome === 'passed') printFlaky(asFile(first));
    },
  });
  const counts = count(results);
  printSuite('mutants', counts, performance.now() - started);
  return { counts, failed: results.filter(result => result.outcome === 'failed').map(asFile) };
}

export interface JudgeOptions {
  readonly root: string;
  readonly signal?: AbortSignal;
  /** Told each verdict; with what came of the first try, when it is the second. */
  readonly onResult?: (result: TestResult, first?: TestResult) => void;
}

/** Judges each mutant in a copy of the checkout at `root`: passed = caught. */
export async function judgeMutants(mutants: readonly Mutant[], options: JudgeOptions): Promise<TestResult[]> {
  const { signal = new AbortController().signal, onResult } = options;
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'drover-mutants-')));
  try {
    const trees = Array.from({ length: Math.min(workers, mutants.length) }, (_, n) => join(dir, String(n)));
    for (const tree of trees) await copyTree(options.root, tree);
    const baselines = new Map<string, Promise<Baseline>>();
    const results: TestResult[] = [];
    const again: { mutant: Mutant; first: TestResult }[] = [];
    await pool(mutants, workers, async (mutant, worker) => {
      if (signal.aborted) return;
      const result = await verdict(mutant, { tree: trees[worker]!, baselines, signal });
      if (result.outcome === 'failed') again.push({ mutant, first: result });
      else results.push(result);
      onResult?.(result);
    });
    for (const { mutant, first } of again) {
      const second = signal.aborted ? first : await verdict(mutant, { tree: trees[0]!, baselines: new Map(), signal });
      results.push(second);
      if (second !== first) onResult?.(second, first);
    }
    return results;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Bench {
  /** A copy of the checkout that no other worker touches. */
  readonly tree: string;
  /** Per set of tests: what comes of it without any mutation. */
  readonly baselines: Map<string, Promise<Baseline>>;
  readonly signal: AbortSignal;
}

interface Baseline {
  /** Why the tests are of no use; undefined when they pass. */
  readonly useless?: string;
  readonly ms: number;
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
  const { useless, ms: baselineMs } = await bench.baselines.get(key)!;
  if (useless !== undefined) return result(useless.startsWith('skipped') ? 'skipped' : 'failed', useless);

  const path = join(bench.tree, mutant.file);
  try {
    const source = await readFile(path, 'utf8');
    const mutated = mutate(source, mutant);
    try {
      await writeFile(path, mutated);
      const runs = await runTests(mutant, bench, { timeoutMs: patienceOf(baselineMs), untilFailure: true });
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
async function baseline(mutant: Mutant, bench: Bench): Promise<Baseline> {
  const patience = { timeoutMs: longestMs };
  let runs = await runTests(mutant, bench, patience);
  if (runs.some(run => count(run.tests).failed > 0)) runs = await runTests(mutant, bench, patience);
  const ms = Math.max(...runs.map(run => run.ms));
  const counts = runs.map(run => count(run.tests)).reduce(add, nothing);
  const broken = runs.flatMap(run => run.tests).find(test => test.outcome === 'failed');
  if (broken) return { useless: `fails with the guard in place: ${broken.name}: ${broken.error}`, ms };
  const skipped = runs.flatMap(run => run.tests).find(test => test.outcome === 'skipped');
  if (counts.passed > 0) return { ms };
  const useless = skipped ? `skipped: ${skipped.reason ?? skipped.name}` : `no test matches ${mutant.testName}`;
  return { useless, ms };
}

interface Patience {
  readonly timeoutMs: number;
  readonly untilFailure?: boolean;
}

/** Runs the mutant's test files one after the other, to the first that fails where only that is asked. */
async function runTests(mutant: Mutant, { tree, signal }: Bench, patience: Patience): Promise<FileResult[]> {
  const runs: FileResult[] = [];
  for (const test of mutant.tests) {
    const timeoutMs = Math.min(suiteOf(test).timeoutMs, patience.timeoutMs);
    const { untilFailure, testName } = { ...patience, testName: mutant.testName };
    const run = await runFile(join(tree, test), { root: tree, timeoutMs, testName, signal, untilFailure });
    runs.push(run);
    if (untilFailure && count(run.tests).failed > 0) break;
  }
  return runs;
}
