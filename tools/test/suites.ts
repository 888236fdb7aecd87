/** The suites of `./drover test`: which files belong to each, how many run at once and how long one may take. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

export interface Suite {
  readonly name: string;
  readonly globs: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** A part of the path of its longest file: begun before all others, it does not run on alone at the end. */
  readonly first?: string;
  /** Runs only when it is named: it takes longer than everything else together. */
  readonly onDemand?: boolean;
  /** A list of Debian packages that it alone needs, below the root. */
  readonly packages?: string;
}

// Two files at a time because the smallest machine this has to pass on has two cores.
export const suites: readonly Suite[] = [
  {
    name: 'unit',
    globs: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'test/*.test.ts', 'test/{bench,layers}/*.test.ts'],
    concurrency: 2,
    timeoutMs: 60_000,
  },
  { name: 'integration', globs: ['test/integration/**/*.test.ts'], concurrency: 2, timeoutMs: 600_000 },
  { name: 'e2e', globs: ['test/e2e/**/*.test.ts'], concurrency: 2, timeoutMs: 1_800_000, first: '/rke.' },
  { name: 'pictures', globs: ['test/pictures/*.test.ts'], concurrency: 1, timeoutMs: 900_000, onDemand: true },
  { name: 'upgrade', globs: ['test/upgrade/**/*.test.ts'], concurrency: 1, timeoutMs: 5_400_000, onDemand: true },
  {
    name: 'conformance',
    globs: ['test/conformance/**/*.test.ts'],
    concurrency: 1,
    timeoutMs: 18_000_000,
    onDemand: true,
    packages: 'test/conformance/packages.txt',
  },
];

/** The suite's files in a fixed order, its first one before all others, absolute; `only` keeps those whose path contains one of its strings. */
export function filesOf(suite: Suite, root: string, only: readonly string[] = []): string[] {
  const files = suite.globs.flatMap(glob => globSync(glob, { cwd: root, exclude: name => name === 'node_modules' }));
  const kept = [...new Set(files)].filter(file => only.length === 0 || only.some(part => file.includes(part)));
  const rank = (file: string) => (suite.first !== undefined && file.includes(suite.first) ? 0 : 1);
  return kept.sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1)).map(file => join(root, file));
}

/** The suite that a test file belongs to, by its path below the root. */
export function suiteOf(file: string): Suite {
  const found = suites.find(suite => suite.name !== 'unit' && file.startsWith(`test/${suite.name}/`));
  return found ?? suites[0]!;
}
