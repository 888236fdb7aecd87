/** HostWork: what is being done on this host for its server, so that an agent that is to be replaced ends nothing half-way. */
export class HostWork {
  #running = 0;
  #onIdle: (() => void)[] = [];

  async add(work: Promise<void>): Promise<void> {
    this.#running++;
    try {
      await work;
    } finally {
      if (--this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Resolves once nothing is. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>(resolve => this.#onIdle.push(resolve));
  }
}
