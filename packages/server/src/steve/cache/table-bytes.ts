/**
 * What a cluster answers to a list or a watch that asks for tables: rows with their cells and objects. A server that makes no table of
 * a type answers with the plain list, whose objects then have no cells.
 */
import type { Column } from './ages.ts';
import type { RawObject, Seen } from './row.ts';

export interface Listed {
  /** Undefined where the server made no table. */
  readonly columns?: readonly Column[];
  readonly rows: readonly Seen[];
  readonly version: string;
  readonly next?: string;
  /** How many come after this page, where the server says so. */
  readonly remaining?: number;
}

interface Raw {
  readonly kind?: string;
  readonly columnDefinitions?: readonly Column[] | null;
  readonly rows?: readonly { readonly cells: readonly unknown[]; readonly object: RawObject }[] | null;
  readonly items?: readonly RawObject[] | null;
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/** Asks for tables, and takes lists. */
export const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** One page of a list, or an object by itself. */
export function readTable(bytes: Uint8Array | string): Listed {
  const text =
    typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return fromRaw(JSON.parse(text) as Raw);
}

function fromRaw(raw: Raw): Listed {
  const { resourceVersion: version = '', continue: next, remainingItemCount: remaining } = raw.metadata ?? {};
  const page = { version, ...(next ? { next } : {}), ...(remaining === undefined ? {} : { remaining }) };
  if (raw.kind === 'Table') {
    const rows = (raw.rows ?? []).map(({ cells, object }) => ({ cells, object }));
    return { ...page, rows, ...(raw.columnDefinitions ? { columns: raw.columnDefinitions } : {}) };
  }
  if (raw.items !== undefined) return { ...page, rows: (raw.items ?? []).map(object => ({ object })) };
  return { ...page, rows: [{ object: raw as unknown as RawObject }] };
}

export interface WatchedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly listed: Listed;
  /** What the server says went wrong. */
  readonly status?: { readonly code?: number; readonly reason?: string; readonly message?: string };
}

const maxLineBytes = 64 << 20;

/** The lines of a watch as they come in; a line that is not whole yet is kept. */
export class WatchLines {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** The events that are whole with this piece. Throws RangeError where one grows beyond all measure. */
  push(piece: Uint8Array): WatchedEvent[] {
    const events: WatchedEvent[] = [];
    let from = 0;
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, from)) {
      const line = Buffer.concat([...this.#parts, piece.subarray(from, at)]).toString('utf8');
      this.#parts = [];
      this.#length = 0;
      from = at + 1;
      if (line.trim() !== '') events.push(readEvent(line));
    }
    if (from < piece.length) {
      this.#parts.push(piece.subarray(from));
      this.#length += piece.length - from;
      if (this.#length > maxLineBytes) throw new RangeError(`a watch event is longer than ${maxLineBytes} bytes`);
    }
    return events;
  }
}

function readEvent(line: string): WatchedEvent {
  const { type, object } = JSON.parse(line) as { type: WatchedEvent['type']; object: Raw };
  if (type === 'ERROR') return { type, listed: { rows: [], version: '' }, status: object as WatchedEvent['status'] };
  return { type, listed: fromRaw(object) };
}
