/** Gate: lets so many through at once, so many more wait in order, and turns the rest away, before they cost anything. */
import { tooManyRequests } from '@drover/base';

export interface GateOptions {
  readonly atOnce: number;
  readonly waiting: number;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Runs the work when its turn comes; throws TooManyRequests at once where too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.atOnce) {
      if (this.#queue.length >= this.#options.waiting) throw tooManyRequests('too many sign-ins at once', 1);
      // Whoever leaves hands his place on, so nobody who comes later slips in between.
      await new Promise<void>(resolve => this.#queue.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** All slow hashing of the process: it takes memory by design, and threads that file and DNS work need too. */
export const hashing = new Gate({ atOnce: 2, waiting: 64 });
