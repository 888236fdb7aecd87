/**
 * Listeners: who is told of changes. Some are told of every one, others of one thing's alone, and are found by what it is: with thousands of
 * clusters each of which follows its own, a change of one costs the others nothing.
 */

export class Listeners<L> {
  readonly #all = new Set<L>();
  readonly #of = new Map<string, Set<L>>();

  /** Adds it until the signal aborts; `of` is the one thing that it is told of. */
  add(listener: L, signal: AbortSignal, of?: string): void {
    if (signal.aborted) return;
    const set = of === undefined ? this.#all : this.#setOf(of);
    set.add(listener);
    const remove = () => {
      set.delete(listener);
      if (of !== undefined && set.size === 0 && this.#of.get(of) === set) this.#of.delete(of);
    };
    signal.addEventListener('abort', remove, { once: true });
  }

  /** Calls those who are told of everything, and then those of each of the things. */
  tell(things: readonly (string | undefined)[], call: (listener: L) => void): void {
    for (const listener of this.#all) call(listener);
    if (this.#of.size === 0) return;
    for (const thing of things) {
      if (thing === undefined) continue;
      for (const listener of this.#of.get(thing) ?? []) call(listener);
    }
  }

  /** How many things have somebody of their own. */
  get size(): number {
    return this.#of.size;
  }

  #setOf(thing: string): Set<L> {
    let set = this.#of.get(thing);
    if (!set) this.#of.set(thing, (set = new Set()));
    return set;
  }
}
