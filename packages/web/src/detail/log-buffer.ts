/** LogBuffer: the last lines of several streams in one order, bounded. Pausing stops what is shown, never what is kept. */

export interface LogLine {
  readonly id: number;
  /** Which pod, as an index for its colour; below zero is a mark of our own. */
  readonly source: number;
  readonly time: string;
  readonly text: string;
}

const mostLines = 20_000;
const mostLength = 8192;

export class LogBuffer {
  #lines: LogLine[] = [];
  #last = 0;
  /** Lines that there was no more room for. */
  dropped = 0;

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Takes lines as a cluster sends them with timestamps: `2026-01-01T00:00:00.1Z text`. */
  add(source: number, texts: readonly string[]): void {
    const lines = texts.map((text): LogLine => {
      const found = /^(\d{4}-\d\d-\d\dT\S+Z) ?(.*)$/s.exec(text);
      return { id: ++this.#last, source, time: found?.[1] ?? '', text: (found?.[2] ?? text).slice(0, mostLength) };
    });
    this.#lines = this.#lines.length === 0 ? lines : this.#merge(lines);
    if (this.#lines.length <= mostLines) return;
    this.dropped += this.#lines.length - mostLines;
    this.#lines = this.#lines.slice(-mostLines);
  }

  /** Says in its place that something may be missing. */
  mark(text: string): void {
    this.#lines = [...this.#lines, { id: ++this.#last, source: -1, time: '', text }];
  }

  /** What came first stands first; within a stream the order never changes. */
  #merge(lines: readonly LogLine[]): LogLine[] {
    const [newest] = this.#lines.slice(-1);
    if (!lines[0] || !newest?.time || lines[0].time >= newest.time) return [...this.#lines, ...lines];
    return [...this.#lines, ...lines]
      .map((line, at) => ({ line, at }))
      .sort((a, b) =>
        a.line.time === b.line.time || !a.line.time || !b.line.time ? a.at - b.at : a.line.time < b.line.time ? -1 : 1,
      )
      .map(({ line }) => line);
  }
}

/** Splits bytes into lines, whatever the pieces that they come in: a character may be cut in two. */
export function lineSplitter(): (bytes: Uint8Array) => string[] {
  const decoder = new TextDecoder();
  let rest = '';
  return bytes => {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    return parts;
  };
}

export type Level = 'error' | 'warn' | 'info' | 'debug' | '';

/** How bad a line says that it is, in the ways that programs mostly say so. */
export function levelOf(text: string): Level {
  const found =
    /\b(?:level|lvl|severity)["']?\s*[=:]\s*["']?(\w+)|^\W*(?:\d[\d:.,T/Z -]*\s*)?\[?\b(ERROR|ERR|FATAL|PANIC|WARN(?:ING)?|INFO|DEBUG|TRACE)\b|^([EWIF])\d{4} /i.exec(
      text,
    );
  const word = (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').toLowerCase();
  if (/^(?:e|f|err|error|fatal|panic|critical|crit)$/.test(word)) return 'error';
  if (/^(?:w|warn|warning)$/.test(word)) return 'warn';
  if (/^(?:i|info|notice)$/.test(word)) return 'info';
  return /^(?:debug|trace)$/.test(word) ? 'debug' : '';
}

/** What lines must hold; a text between slashes is an expression, `!` before either turns it round. */
export function lineFilter(wanted: string): (text: string) => boolean {
  const turned = wanted.startsWith('!');
  const text = turned ? wanted.slice(1) : wanted;
  if (text === '') return () => true;
  const expression = /^\/(.+)\/(i?)$/.exec(text);
  if (expression) {
    try {
      const pattern = new RegExp(expression[1]!, expression[2]);
      return line => pattern.test(line) !== turned;
    } catch {
      // Half an expression is looked for as it stands.
    }
  }
  const lower = text.toLowerCase();
  return line => line.toLowerCase().includes(lower) !== turned;
}

/** What an address says of a line: its time, and which it is of those that have the same. */
export function pointTo(lines: readonly LogLine[], line: LogLine): string {
  const same = lines.filter(({ time }) => time === line.time).findIndex(({ id }) => id === line.id);
  return same > 0 ? `${line.time}~${same}` : line.time;
}

/** The line that an address points to, where it is among these. */
export function lineAt(lines: readonly LogLine[], point: string): LogLine | undefined {
  const [wanted, which = '0'] = point.split('~');
  return lines.filter(({ time }) => time !== '' && time === wanted)[Number(which)];
}
