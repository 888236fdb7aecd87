/**
 * The reporter that test files run with: one JSON line per finished test, for the runner beside it to count.
 * A default export is what node asks of a reporter.
 */
import { inspect } from 'node:util';
import type { TestResult } from './result.ts';

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly skip?: boolean | string;
    readonly todo?: boolean | string;
    readonly message?: string;
    readonly details?: { readonly type?: string; readonly duration_ms: number; readonly error?: Error };
  };
}

async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path.push(data.name);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const result: TestResult = {
      name: [...path.slice(0, data.nesting), data.name].join(' › '),
      outcome: outcomeOf(type, data),
      suite: data.details?.type === 'suite',
      ms: data.details?.duration_ms ?? 0,
      reason: typeof data.skip === 'string' ? data.skip : typeof data.todo === 'string' ? data.todo : undefined,
      error: type === 'test:fail' ? explain(data.details?.error) : undefined,
    };
    yield `${JSON.stringify(result)}\n`;
  }
}

function outcomeOf(type: string, data: TestEvent['data']): TestResult['outcome'] {
  if (data.skip !== undefined && data.skip !== false) return 'skipped';
  // A test marked todo is unfinished work: it counts as skipped, whichever way it went.
  if (data.todo !== undefined && data.todo !== false) return 'skipped';
  return type === 'test:pass' ? 'passed' : 'failed';
}

/** node wraps what a test threw; the cause is what a person wants to see, with its stack and diff. */
function explain(error: Error | undefined): string {
  const cause = error?.cause ?? error;
  return cause instanceof Error ? inspect(cause, { depth: 6, colors: false }) : String(cause);
}

// biome-ignore lint/style/noDefaultExport: node loads reporters by their default export
export default report;
