/**
 * KeptLists: what somebody sees of a type, filtered and sorted, while he walks through it page by page: to do that anew for each page
 * would make a walk of thousands of pages cost their square. Good for as long as nothing changed that it was made of; bounded in rows.
 */
import { collectReads, noteReads, type Reads } from '../resources/index.ts';

interface Kept<T> {
  readonly rows: T;
  readonly size: number;
  readonly reads: Reads;
}

export class KeptLists<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #maxRows: number;
  #rows = 0;

  constructor(maxRows = 200_000) {
    this.#maxRows = maxRows;
  }

  /** How many rows are kept. */
  get size(): number {
    return this.#rows;
  }

  /** What was made under the key, or is made now; what it was made of counts as read, either way. */
  of(key: string, make: () => { readonly rows: T; readonly size: number }): T {
    const there = this.#kept.get(key);
    if (there?.reads.areUnchanged) {
      noteReads(there.reads);
      this.#kept.delete(key);
      this.#kept.set(key, there);
      return there.rows;
    }
    this.#drop(key);
    const { made, reads } = collectReads(make);
    if (made.size > this.#maxRows) return made.rows;
    this.#kept.set(key, { ...made, reads });
    this.#rows += made.size;
    for (const oldest of this.#kept.keys()) {
      if (this.#rows <= this.#maxRows) break;
      this.#drop(oldest);
    }
    return made.rows;
  }

  #drop(key: string): void {
    const there = this.#kept.get(key);
    if (!there) return;
    this.#kept.delete(key);
    this.#rows -= there.size;
  }
}
