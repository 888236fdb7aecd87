/** What commands print: a table for people, JSON or YAML for programs. stdout carries only this. */
import { invalid } from '@drover/base';

export type Format = 'table' | 'json' | 'yaml';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string | number | boolean | null | undefined;
}

export function parseFormat(text: string | undefined): Format {
  if (text === undefined || text === 'table') return 'table';
  if (text === 'json' || text === 'yaml') return text;
  throw invalid('--output', `"${text}" must be table, json or yaml`);
}

/** Prints rows as columns, padded by what a terminal shows; nothing but a note on stderr where there are none. */
export async function printList<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  options: { format: Format; none: string },
): Promise<void> {
  if (options.format !== 'table') return printData(rows, options.format);
  if (rows.length === 0) {
    process.stderr.write(`${options.none}\n`);
    return;
  }
  const lines = [
    columns.map(column => column.title),
    ...rows.map(row => columns.map(column => cell(column.value(row)))),
  ];
  process.stdout.write(alignColumns(lines));
}

export async function printData(data: unknown, format: Format): Promise<void> {
  if (format === 'yaml') {
    const { stringify } = await import('yaml');
    process.stdout.write(stringify(data));
  } else {
    process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
  }
}

/** Lines of cells with two spaces between columns; the last one is not padded. */
export function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [i, text] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(text));
  }
  const pad = (text: string, i: number, line: readonly string[]) =>
    i === line.length - 1 ? text : text + ' '.repeat(widths[i]! - displayWidth(text) + 2);
  return lines.map(line => `${line.map(pad).join('').trimEnd()}\n`).join('');
}

/** Columns a terminal uses: CJK and other wide characters take two (Unicode East Asian Width W and F). */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text)
    width +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
        char,
      ) || char.codePointAt(0)! >= 0x1f300
        ? 2
        : 1;
  return width;
}

function cell(value: string | number | boolean | null | undefined): string {
  return value === undefined || value === null || value === ''
    ? '-'
    : String(value).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** How long ago, in the largest unit that says enough: 45s, 12m, 3h, 8d. */
export function age(time: string | undefined, now = Date.now()): string | undefined {
  if (!time || Number.isNaN(Date.parse(time))) return undefined;
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
