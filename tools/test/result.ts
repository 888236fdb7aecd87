/** What came of tests: one test, one file, and the sum that the last line prints. */

export interface TestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** A describe() block: shown when it fails by itself, never counted when it passes. */
  readonly suite?: boolean;
  readonly ms: number;
  readonly reason?: string;
  readonly error?: string;
}

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  readonly ms: number;
  /** What the file printed, stdout and stderr as they came; the last 64 KiB. */
  readonly output: string;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** Counts tests, not describe() blocks; but a block that failed (its hook threw, say) counts as one failure. */
export function count(tests: readonly TestResult[]): Counts {
  const of = (outcome: TestResult['outcome']) =>
    tests.filter(test => test.outcome === outcome && (!test.suite || outcome === 'failed')).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

/** The plain closing line that machines read: `N passed, N failed`, with `, N skipped` when some were. */
export function closingLine(counts: Counts): string {
  const line = `${counts.passed} passed, ${counts.failed} failed`;
  return counts.skipped > 0 ? `${line}, ${counts.skipped} skipped` : line;
}

/** 0 only when something ran and nothing failed. */
export function exitCode(counts: Counts): number {
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}
