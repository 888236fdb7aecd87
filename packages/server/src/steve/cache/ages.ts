/**
 * Ages in printer columns: a cluster writes them as of when it was asked ("5m"), so what is kept is the moment they count from,
 * and each reader gets the age by his own time.
 */

/** A printer column as a cluster describes it. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
}

/** A cell that counts from a moment, in ms since 1970. */
interface Moment {
  readonly since: number;
}

const unitMs: Readonly<Record<string, number>> = { y: 31_536_000_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };
const duration = /^(?:\d+[ydhms]){1,3}$/;
const ageNames = new Set(['Age', 'Last Seen', 'First Seen', 'Last Schedule']);

/** As kubectl writes it: two units at most, the finer one only where it matters. */
export function humanAge(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 && days % 365 !== 0 ? `${years}y${days % 365}d` : `${years}y`;
}

function parseAge(text: string): number | undefined {
  if (!duration.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([ydhms])/g)) ms += Number(count) * unitMs[unit!]!;
  return ms;
}

/** Cells as they are kept: ages as moments, numbers and texts as they came. */
export function keepCells(
  cells: readonly unknown[],
  columns: readonly Column[],
  { createdAt, now }: { readonly createdAt: number; readonly now: number },
): unknown[] {
  return cells.map((cell, index) => {
    const column = columns[index];
    if (!column || typeof cell !== 'string') return cell;
    const isAge = column.type === 'date' || ageNames.has(column.name);
    if (isAge && column.name === 'Age' && !Number.isNaN(createdAt)) return { since: createdAt } satisfies Moment;
    const age = isAge ? parseAge(cell) : undefined;
    if (age !== undefined) return { since: now - age } satisfies Moment;
    const restarts = column.name === 'Restarts' ? /^(\d+) \((\S+) ago\)$/.exec(cell) : null;
    const ago = restarts ? parseAge(restarts[2]!) : undefined;
    if (ago !== undefined) return [Number(restarts![1]), { since: now - ago } satisfies Moment];
    return cell;
  });
}

const isMoment = (cell: unknown): cell is Moment => typeof cell === 'object' && cell !== null && 'since' in cell;

/** Cells as a reader sees them at `now`. */
export function showCells(cells: readonly unknown[], now: number): unknown[] {
  return cells.map(cell => {
    if (isMoment(cell)) return humanAge(now - cell.since);
    if (Array.isArray(cell) && isMoment(cell[1])) return `${cell[0]} (${humanAge(now - cell[1].since)} ago)`;
    return cell;
  });
}

/** Cells as filters and orders see them: moments are numbers, and newer is greater. */
export function comparableCells(cells: readonly unknown[]): unknown[] {
  return cells.map(cell => {
    if (isMoment(cell)) return cell.since;
    if (Array.isArray(cell)) return cell.map(part => (isMoment(part) ? part.since : part));
    return cell;
  });
}
