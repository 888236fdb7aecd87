/** What `./drover test` shows: a line per file, failures whole, each skip with its reason. */
import { styleText } from 'node:util';
import { type Counts, closingLine, count, type FileResult } from './result.ts';

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

export function printFile(result: FileResult): void {
  const counts = count(result.tests);
  const mark = counts.failed > 0 ? styleText('red', '✖') : styleText('green', '✔');
  console.log(
    `${mark} ${result.file} ${styleText('dim', `${counts.passed + counts.failed} tests, ${seconds(result.ms)}`)}`,
  );
  for (const test of result.tests) {
    if (test.outcome === 'skipped') console.log(`  - ${test.name}: skipped, ${test.reason ?? 'without a reason'}`);
    if (test.outcome !== 'failed') continue;
    console.log(`  ${styleText('red', '✖')} ${test.name}`);
    console.log(indent(test.error ?? '', '      '));
  }
  if (counts.failed > 0 && result.output.trim()) console.log(indent(result.output.trimEnd(), '    | '));
}

/** Says that a file failed beside others and passed alone: worth a look, no failure of the run. */
export function printFlaky(first: FileResult): void {
  const names = first.tests.filter(test => test.outcome === 'failed').map(test => test.name);
  console.log(
    `${styleText('yellow', '~')} ${first.file} passed when it ran again alone; at first failed: ${names.join(', ')}`,
  );
}

/** Shows once more, at the end of a run, what failed. */
export function printFailed(results: readonly FileResult[]): void {
  if (results.length === 0) return;
  console.log(styleText('bold', '── what failed'));
  for (const result of results) printFile({ ...result, tests: result.tests.filter(test => test.outcome === 'failed') });
}

/** The suite's own sum; worded so that nothing can take it for the closing line of the run. */
export function printSuite(name: string, counts: Counts, ms: number): void {
  console.log(styleText('bold', `── ${name}: ${closingLine(counts)} in ${seconds(ms)}`));
}

function indent(text: string, by: string): string {
  return text
    .split('\n')
    .map(line => by + line)
    .join('\n');
}
