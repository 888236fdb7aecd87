/** EventRing: the latest events of a type, so that who comes back with a revision is told what he missed. Bounded by bytes and count. */
import type { RowEvent } from './cache/worker-calls.ts';

const maxEvents = 1000;
const maxBytes = 4 << 20;

export class EventRing {
  readonly #events: RowEvent[] = [];
  #bytes = 0;
  /** Everything after this revision is here; undefined: nothing was ever dropped. */
  #start: bigint | undefined;

  push(event: RowEvent): void {
    this.#events.push(event);
    this.#bytes += event.text.length + 200;
    while (this.#events.length > maxEvents || this.#bytes > maxBytes) {
      const dropped = this.#events.shift()!;
      this.#bytes -= dropped.text.length + 200;
      if (dropped.version) this.#start = BigInt(dropped.version);
    }
  }

  /** Forgets all: what came before this revision is not known any more. */
  reset(version: string): void {
    this.#events.length = 0;
    this.#bytes = 0;
    this.#start = version ? BigInt(version) : undefined;
  }

  /** The events after the revision; undefined where some of them are gone. */
  after(version: bigint): readonly RowEvent[] | undefined {
    if (this.#start !== undefined && version < this.#start) return undefined;
    return this.#events.filter(event => event.version !== '' && BigInt(event.version) > version);
  }
}
