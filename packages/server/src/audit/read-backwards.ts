/**
 * Lines of an audit log from the newest back through the files set aside, a piece at a time, so that neither memory nor the time of
 * others goes to it. A place is a file (by its number, which it keeps when it is set aside) and an offset in it.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { invalid } from '@drover/base';
import { setAsides } from './set-aside.ts';

export interface LogPlace {
  readonly ino: number;
  readonly offset: number;
}

export interface PlacedLine {
  readonly text: string;
  /** Where it begins: what is older is before that. */
  readonly place: LogPlace;
}

export interface ReadBounds {
  /** Bytes to read at most. */
  bytes: number;
}

const pieceBytes = 64 * 1024;
/** A longer line is none of ours, and passed over. */
const mostLineBytes = 1 << 20;

export const formatPlace = ({ ino, offset }: LogPlace): string => `${ino}-${offset}`;

/** Throws Invalid for what is no place. */
export function parsePlace(text: string, field: string): LogPlace {
  const [, ino, offset] = /^(\d{1,16})-(\d{1,15})$/.exec(text) ?? [];
  if (ino === undefined || offset === undefined) throw invalid(field, 'must be a place that was answered before');
  return { ino: Number(ino), offset: Number(offset) };
}

/** Opened by number: between a look at the names and the opening a file may have been set aside. */
async function openFile(path: string, ino: number): Promise<FileHandle | undefined> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return undefined;
  if ((await handle.stat()).ino === ino) return handle;
  await handle.close();
  return undefined;
}

async function filesOf(path: string): Promise<{ readonly path: string; readonly ino: number }[]> {
  const all = [path, ...(await setAsides(path).catch(() => [])).map(aside => aside.path)];
  const found = await Promise.all(
    all.map(async each => ({ path: each, ino: (await stat(each).catch(() => undefined))?.ino })),
  );
  return found.flatMap(({ path: each, ino }) => (ino === undefined ? [] : [{ path: each, ino }]));
}

/** Ends where the log does, or where the bounds are used up: `bounds.bytes` is then 0 or less. A file that is gone has none before it. */
export async function* readBackwards(
  path: string,
  before: LogPlace | undefined,
  bounds: ReadBounds,
): AsyncGenerator<PlacedLine> {
  const files = await filesOf(path);
  const first = before ? files.findIndex(({ ino }) => ino === before.ino) : 0;
  if (first < 0) return;
  for (const [at, { path: each, ino }] of files.slice(first).entries()) {
    await using handle = await openFile(each, ino);
    if (!handle) continue;
    const { size } = await handle.stat();
    const end = at === 0 && before ? Math.min(before.offset, size) : size;
    for await (const line of linesOf(handle, end, bounds))
      yield { text: line.text, place: { ino, offset: line.offset } };
    if (bounds.bytes <= 0) return;
  }
}

async function* linesOf(
  handle: FileHandle,
  end: number,
  bounds: ReadBounds,
): AsyncGenerator<{ readonly text: string; readonly offset: number }> {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  let from = end;
  while (from > 0 && bounds.bytes > 0) {
    const length = Math.min(pieceBytes, from);
    const piece = Buffer.alloc(length);
    from -= length;
    await handle.read(piece, 0, length, from);
    bounds.bytes -= length;
    let bytes = Buffer.concat([piece, rest]);
    for (let cut = bytes.lastIndexOf(10, bytes.length - 1); cut >= 0; cut = bytes.lastIndexOf(10, bytes.length - 1)) {
      if (!isTooLong && cut < bytes.length - 1) yield { text: bytes.toString('utf8', cut + 1), offset: from + cut + 1 };
      isTooLong = false;
      bytes = bytes.subarray(0, cut);
    }
    isTooLong ||= bytes.length > mostLineBytes;
    rest = isTooLong ? Buffer.alloc(0) : bytes;
  }
  if (from === 0 && rest.length > 0 && !isTooLong) yield { text: rest.toString('utf8'), offset: 0 };
}

/** The one line at a place that was answered before; undefined where it is gone. */
export async function lineAt(path: string, place: LogPlace): Promise<string | undefined> {
  const file = (await filesOf(path)).find(({ ino }) => ino === place.ino);
  await using handle = file && (await openFile(file.path, file.ino));
  if (!handle) return undefined;
  const bytes = Buffer.alloc(mostLineBytes);
  const start = Math.max(0, place.offset - 1);
  const { bytesRead } = await handle.read(bytes, 0, mostLineBytes, start);
  const begin = place.offset - start;
  const cut = bytes.subarray(0, bytesRead).indexOf(10, begin);
  // In the middle of a line there is none.
  if (cut < 0 || (begin === 1 && bytes[0] !== 10)) return undefined;
  return bytes.toString('utf8', begin, cut);
}
