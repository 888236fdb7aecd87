/**
 * Slots: which columns of a table stand for which fields. A table has so many to give away; the printer columns of its type have theirs
 * from the beginning, any other field from its first use, and the one that was used least lately gives way.
 */
import { invalid, unavailable } from '@drover/base';
import type { Column } from './ages.ts';
import { parseFieldPath, valueAt } from './field-path.ts';
import { type Comparables, comparables, type RowPieces } from './row.ts';

export const slotCount = 24;
/** Half of them stay for fields that people ask for. */
const maxPrinted = slotCount / 2;

export interface Slot {
  readonly field: string;
  readonly keys: readonly string[];
  readonly number: number;
  /** Up to which row it is filled; all rows have their value where it is undefined. */
  filledTo: number | undefined;
  /** Of the index that a page in its order is read from. Asked for twice, it is worth having. */
  index: 'none' | 'asked' | 'wanted' | 'made';
}

export class Slots {
  /** The most lately used last. */
  readonly #byField = new Map<string, Slot>();
  /** Columns that are shown to everybody. */
  readonly #usual = new Set<Slot>();

  /** Gives the printer columns theirs, before there is any row. */
  print(columns: readonly Column[]): void {
    const printed = columns.map((column, index) => ({ ...column, index })).filter(({ name }) => name !== 'Name');
    for (const { index, priority = 0 } of printed.slice(0, maxPrinted)) {
      const field = `metadata.fields[${index}]`;
      if (this.#byField.has(field) || this.#byField.size >= slotCount) continue;
      const slot = this.#add(field, this.#byField.size);
      slot.filledTo = undefined;
      if (priority === 0) this.#usual.add(slot);
    }
  }

  /** All rows are in: what lists are usually sorted by gets its indexes. */
  listed(): void {
    for (const slot of this.#usual) if (slot.index !== 'made') slot.index = 'wanted';
    this.#usual.clear();
  }

  /** The slot of a field, which may have to be filled yet; `used` are those of the same question, which can't give way to it. */
  take(field: string, used: Set<Slot>): { readonly slot: Slot; readonly isNew: boolean } {
    let slot = this.#byField.get(field);
    const isNew = slot === undefined;
    if (slot) {
      this.#byField.delete(field);
      this.#byField.set(field, slot);
    } else slot = this.#add(field, this.#free(used));
    used.add(slot);
    return { slot, isNew };
  }

  /** The first that is still to be filled. */
  get unfilled(): Slot | undefined {
    return this.#first(({ filledTo }) => filledTo !== undefined);
  }

  /** The first whose index is still to be made. */
  get wanted(): Slot | undefined {
    return this.#first(({ index, filledTo }) => index === 'wanted' && filledTo === undefined);
  }

  /** An order goes by these. */
  sortedBy(slots: Iterable<Slot>): void {
    for (const slot of slots) {
      if (slot.index === 'asked') slot.index = 'wanted';
      else if (slot.index === 'none') slot.index = 'asked';
    }
  }

  /** What a row has in each slot. */
  valuesOf(row: Pick<RowPieces, 'id' | 'metadata' | 'cells' | 'rest'>): (string | number | bigint | null)[] {
    const values = Array.from<string | number | bigint | null>({ length: slotCount }).fill(null);
    const parts = comparables(row);
    for (const slot of this.#byField.values()) values[slot.number] = cellOf(slot, parts);
    return values;
  }

  #add(field: string, number: number): Slot {
    const slot: Slot = { field, keys: parseFieldPath(field), number, filledTo: 0, index: 'none' };
    this.#byField.set(field, slot);
    return slot;
  }

  #free(used: ReadonlySet<Slot>): number {
    if (used.size >= slotCount)
      throw invalid('filter', `must name at most ${slotCount} fields, with those of the order`);
    if (this.#byField.size < slotCount) return this.#byField.size;
    // One that is being filled for another question stays, or the two would take it from each other for ever.
    const oldest = this.#first(slot => !used.has(slot) && slot.filledTo === undefined);
    if (!oldest) throw unavailable('too many fields are asked for at once', { retryAfterSeconds: 1 });
    this.#byField.delete(oldest.field);
    return oldest.number;
  }

  #first(fits: (slot: Slot) => boolean): Slot | undefined {
    for (const slot of this.#byField.values()) if (fits(slot)) return slot;
    return undefined;
  }
}

/**
 * Labels that are not there are NULL; other fields that are not there compare as empty. Whole numbers go in as such: as the others they
 * would be "3.0" where they are compared as text.
 */
export function cellOf({ field, keys }: Slot, parts: Comparables): string | number | bigint | null {
  const value = valueAt(parts(keys), keys) ?? (field.startsWith('metadata.labels') ? null : '');
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}
