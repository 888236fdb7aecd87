/** Sets bench rows as a table. The ratio is always ours over the peer's; whether that is good is said beside it. */
import type { Row } from '../../test/bench/row.ts';

/** Lines of a table with one header line. */
export function formatRows(rows: readonly Row[]): string[] {
  const cells = rows.map(row => [
    row.name,
    figure(row.ours),
    row.peer === undefined ? '' : figure(row.peer),
    row.unit,
    ...judged(row),
  ]);
  const table = [['', 'ours', 'peer', 'unit', 'ratio', ''], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map(line => line[column]!.length)));
  const right = new Set([1, 2, 4]);
  return table.map(line =>
    line
      .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function judged({ ours, peer, higherIsBetter }: Row): [string, string] {
  if (peer === undefined || peer === 0) return ['', ''];
  const ratio = ours / peer;
  return [`${ratio.toFixed(2)}×`, ratio >= 1 === higherIsBetter || ratio === 1 ? 'better' : 'worse'];
}

function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}
