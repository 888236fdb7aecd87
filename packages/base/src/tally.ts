/** Tally: how many there are of each key at this moment, for what is bounded by user, cluster or address. A key that has none takes no room. */

export class Tally<K> {
  readonly #counts = new Map<K, number>();

  of(key: K): number {
    return this.#counts.get(key) ?? 0;
  }

  /** One more. Answers how many there are now. */
  add(key: K): number {
    const count = this.of(key) + 1;
    this.#counts.set(key, count);
    return count;
  }

  /** One fewer. Answers how many are left; of a key that has none, none. */
  remove(key: K): number {
    const count = Math.max(this.of(key) - 1, 0);
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    return count;
  }

  /** The keys that have any. */
  get size(): number {
    return this.#counts.size;
  }
}
