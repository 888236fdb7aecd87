/**
 * Runs one test file in a process of its own and collects what came of it. The file runs directly, not under
 * `node --test`: one process less, and the results come back through a file that what the tests print cannot disturb.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { endLeftovers, endTree } from './processes.ts';
import { count, type FileResult, type TestResult } from './result.ts';

const keepBytes = 64 * 1024;

export interface RunOptions {
  /** The checkout that the file belongs to; the working directory of the test. */
  readonly root: string;
  readonly timeoutMs: number;
  /** Only tests whose name matches this pattern. */
  readonly testName?: string;
  readonly signal?: AbortSignal;
  /** Ends the file with its first failed test: for those who ask just whether one fails. */
  readonly untilFailure?: boolean;
}

/** Runs `file` to its end or to `timeoutMs`; never rejects for what the tests do, only when nothing can be started. */
export async function runFile(file: string, options: RunOptions): Promise<FileResult> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-test-'));
  const started = performance.now();
  try {
    const results = join(dir, 'results');
    const child = start(file, results, { ...options, tmp: dir });
    const output = tail(child);
    const end = await ended(child, results, options);
    const tests = await readResults(results);
    const ms = performance.now() - started;
    const wrong = judge(tests, end, options.timeoutMs);
    if (wrong) tests.push({ name: relative(options.root, file), outcome: 'failed', ms, error: wrong });
    return { file: relative(options.root, file), tests, ms, output: output() };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function start(file: string, results: string, options: RunOptions & { tmp: string }): ChildProcess {
  const flags = [
    `--test-reporter=${join(import.meta.dirname, 'reporter.ts')}`,
    `--test-reporter-destination=${results}`,
    ...(options.testName === undefined ? [] : [`--test-name-pattern=${options.testName}`]),
  ];
  const { NODE_OPTIONS: _dropped, ...env } = process.env;
  return spawn(process.execPath, [...flags, file], {
    cwd: options.root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** Keeps the last 64 KiB of what the child prints. */
function tail(child: ChildProcess): () => string {
  let kept = Buffer.alloc(0);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]).subarray(-keepBytes);
    });
  }
  return () => kept.toString('utf8');
}

type End =
  | { readonly code: number | null; readonly by: NodeJS.Signals | null }
  | 'timeout'
  | 'aborted'
  | 'failure'
  | 'leftovers';

async function ended(child: ChildProcess, results: string, options: RunOptions): Promise<End> {
  const { timeoutMs, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<End>();
  child.once('error', reject);
  child.once('exit', (code, by) => resolve({ code, by }));
  const timer = setTimeout(() => resolve('timeout'), timeoutMs);
  const look = async () => {
    if (count(await readResults(results)).failed > 0) resolve('failure');
  };
  const looking = options.untilFailure ? setInterval(look, 250) : undefined;
  const onAbort = () => resolve('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const end = signal?.aborted ? 'aborted' : await promise;
    if (typeof end === 'string') await endTree(child.pid!);
    else if (await endLeftovers(child.pid!)) return 'leftovers';
    return end;
  } finally {
    clearTimeout(timer);
    clearInterval(looking);
    signal?.removeEventListener('abort', onAbort);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

async function readResults(path: string): Promise<TestResult[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line) as TestResult);
}

/** What is wrong with the file as a whole, beyond its tests. */
function judge(tests: readonly TestResult[], end: End, timeoutMs: number): string | undefined {
  if (end === 'aborted') return 'stopped before it ended';
  if (end === 'timeout') {
    const last = tests.at(-1);
    return `killed after ${timeoutMs / 1000} s: a test hung or something was left open (last to end: ${last?.name ?? 'none'})`;
  }
  if (end === 'failure') return undefined;
  if (end === 'leftovers') return 'left processes running that it had started (killed now)';
  if (end.by) return `ended by ${end.by}`;
  if (tests.length === 0) return end.code === 0 ? 'the file has no tests' : `exit code ${end.code} before any test ran`;
  const failed = tests.some(test => test.outcome === 'failed');
  return end.code !== 0 && !failed ? `exit code ${end.code} though no test failed` : undefined;
}
