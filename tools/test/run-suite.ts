/**
 * Runs the files of one suite. A file that fails beside others runs once more alone: a machine that was busy for a
 * moment is told apart from a fault, and both are shown. What fails twice is failed, and shown again at the end of the
 * run, where whoever reads only the last page of a log finds it.
 */
import { root } from '../root.ts';
import { pool } from './pool.ts';
import { printFile, printFlaky, printSuite } from './print.ts';
import { add, type Counts, count, type FileResult, nothing } from './result.ts';
import { runFile } from './run-file.ts';
import type { Suite } from './suites.ts';

export interface SuiteResult {
  readonly counts: Counts;
  /** The files that failed both times, as they came the second time. */
  readonly failed: readonly FileResult[];
}

export interface RunSuiteOptions {
  readonly signal: AbortSignal;
  /** The checkout that the files belong to. */
  readonly root?: string;
}

/** Runs `files` (absolute paths) as many at once as the suite says and prints each as it ends. */
export async function runSuite(suite: Suite, files: readonly string[], options: RunSuiteOptions): Promise<SuiteResult> {
  const { signal, root: tree = root } = options;
  const started = performance.now();
  const run = (file: string) => runFile(file, { root: tree, timeoutMs: suite.timeoutMs, signal });
  const once: FileResult[] = [];
  const again: { file: string; first: FileResult }[] = [];
  await pool(files, suite.concurrency, async file => {
    if (signal.aborted) return;
    const result = await run(file);
    printFile(result);
    if (count(result.tests).failed > 0) again.push({ file, first: result });
    else once.push(result);
  });
  const failed: FileResult[] = [];
  for (const { file, first } of again) {
    const second = signal.aborted ? first : await run(file);
    if (second !== first) printFile(second);
    if (count(second.tests).failed > 0) failed.push(second);
    else printFlaky(first);
    once.push(second);
  }
  const counts = once.map(result => count(result.tests)).reduce(add, nothing);
  if (files.length > 0) printSuite(suite.name, counts, performance.now() - started);
  return { counts, failed };
}
