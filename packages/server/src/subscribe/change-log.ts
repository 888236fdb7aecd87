/**
 * What changed lately, so that a client that was cut off is told of just that. Each resource stands in it once, at its last
 * change; what was deleted stands there as it last was, for it is still to be decided who may know of it.
 */
import type { TypedResource, TypeId } from '@drover/api';

type Any = TypedResource<TypeId>;

export interface Logged {
  readonly key: string;
  readonly gone: Any | undefined;
}

interface Entry extends Logged {
  readonly type: TypeId;
  readonly at: number;
}

export class ChangeLog {
  /** By type and key, the latest change last. */
  readonly #entries = new Map<string, Entry>();
  readonly #keep: number;
  #position = 0;
  /** Changes up to here are forgotten. */
  #forgotten = 0;

  constructor(keep = 16_384) {
    this.#keep = keep;
  }

  get position(): number {
    return this.#position;
  }

  note(type: TypeId, key: string, gone?: Any): void {
    const id = `${type} ${key}`;
    this.#entries.delete(id);
    this.#entries.set(id, { type, key, gone, at: ++this.#position });
    if (this.#entries.size <= this.#keep) return;
    const [oldest, { at }] = this.#entries.entries().next().value!;
    this.#entries.delete(oldest);
    this.#forgotten = at;
  }

  /** The type's changes after that position; undefined where it does not reach back so far. */
  since(position: number, type: TypeId): Logged[] | undefined {
    if (position < this.#forgotten || position > this.#position) return undefined;
    return [...this.#entries.values()].filter(entry => entry.at > position && entry.type === type);
  }
}
