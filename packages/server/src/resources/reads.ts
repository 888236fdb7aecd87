/**
 * Reads: what an answer was made of, so that it can be given again for as long as none of that has changed. Whatever answers
 * are made from and changes in memory (a cache, who was given what, the ways to clusters) is a Source, and says when it is read.
 */

/** Something that answers are made from; the number grows whenever it changes. */
export interface Source {
  readonly changes: number;
}

/** Sources with the state that they were in. */
export class Reads {
  readonly #seen = new Map<Source, number>();

  /** Remembers the state of the source when it was first read: what changed after that counts as a change. */
  note(source: Source): void {
    if (!this.#seen.has(source)) this.#seen.set(source, source.changes);
  }

  /** Whether everything is as it was. */
  get areUnchanged(): boolean {
    for (const [source, changes] of this.#seen) if (source.changes !== changes) return false;
    return true;
  }

  /** Those read here were read by the other as well. */
  addTo(other: Reads): void {
    for (const [source, changes] of this.#seen) if (!other.#seen.has(source)) other.#seen.set(source, changes);
  }
}

let collecting: Reads | undefined;

/** Called by a source whenever something of it is read. */
export function noteRead(source: Source): void {
  collecting?.note(source);
}

/** Called where something is used that was made before: what was read for it counts as read now. */
export function noteReads(reads: Reads): void {
  if (collecting) reads.addTo(collecting);
}

/** Does the work, which must not wait for anything, and tells what was read for it. */
export function collectReads<T>(work: () => T): { readonly made: T; readonly reads: Reads } {
  const outer = collecting;
  const reads = new Reads();
  collecting = reads;
  try {
    return { made: work(), reads };
  } finally {
    collecting = outer;
    if (outer) reads.addTo(outer);
  }
}

/** The state that these sources are in now, for work that waits in between. */
export function readsOf(sources: Iterable<Source>): Reads {
  const reads = new Reads();
  for (const source of sources) reads.note(source);
  return reads;
}
