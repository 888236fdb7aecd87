/**
 * A shipper takes lines to one place, a batch at a time, over and over until the place has taken them. Whoever offers a line
 * never waits: what finds no room is dropped, counted, and told of in the log itself once there is room again.
 */
import { backoffMs, isTerminal, type Log, messageOf, sleep, withSignal } from '@drover/base';

export interface ShipperOptions {
  readonly name: string;
  /** Takes the lines, each with its end. Called again with the same ones after a throw, unless it is terminal. */
  readonly deliver: (lines: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  /** How many lines wait at most, and of how many characters in all. */
  readonly maxLines?: number;
  readonly maxChars?: number;
  /** How many go at once, and of how many characters. */
  readonly batchLines?: number;
  readonly batchChars?: number;
  /** How long a batch that is not full waits for more, in ms. */
  readonly lingerMs?: number;
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
  /** How long the end waits for what is left to be taken, in ms. */
  readonly flushMs?: number;
}

export interface ShipperCounts {
  readonly name: string;
  readonly waiting: number;
  readonly delivered: number;
  readonly dropped: number;
}

export class Shipper implements AsyncDisposable {
  readonly #options: ShipperOptions & { maxLines: number; maxChars: number };
  #lines: string[] = [];
  #chars = 0;
  #inFlight = 0;
  #delivered = 0;
  #dropped = 0;
  #untold = 0;
  #wake: () => void = () => undefined;
  readonly #stopping = new AbortController();
  readonly #givenUp = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ShipperOptions) {
    this.#options = { maxLines: 10_000, maxChars: 16 << 20, ...options };
    this.#running = this.#run();
  }

  get counts(): ShipperCounts {
    const waiting = this.#lines.length + this.#inFlight;
    return { name: this.#options.name, waiting, delivered: this.#delivered, dropped: this.#dropped };
  }

  /** Takes the line, or drops it where too many wait. */
  offer(line: string): void {
    const { maxLines, maxChars, name, log } = this.#options;
    if (this.#stopping.signal.aborted || this.#lines.length >= maxLines || this.#chars + line.length > maxChars) {
      if (this.#untold === 0)
        log.warn({ sink: name }, 'audit records are being dropped: they are not taken fast enough');
      this.#drop(1);
      return;
    }
    this.#lines.push(`${line}\n`);
    this.#chars += line.length;
    this.#wake();
  }

  /** Counts records that were lost before they became lines. */
  lose(count: number): void {
    this.#drop(count);
    this.#wake();
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#untold += count;
  }

  async #run(): Promise<void> {
    const { lingerMs = 0, batchLines = 500 } = this.#options;
    const stopping = this.#stopping.signal;
    while (!this.#givenUp.signal.aborted) {
      if (this.#lines.length === 0 && this.#untold === 0) {
        if (stopping.aborted) return;
        await new Promise<void>(resolve => (this.#wake = resolve));
      }
      if (lingerMs > 0 && this.#lines.length < batchLines) await sleep(lingerMs, stopping).catch(() => undefined);
      if (this.#lines.length === 0 && this.#untold === 0) continue;
      await this.#deliver(this.#takeBatch());
    }
  }

  /** As many as go at once: one at least, however long it is. */
  #takeBatch(): string[] {
    const { batchLines = 500, batchChars = 512 * 1024 } = this.#options;
    let count = 0;
    let chars = 0;
    while (count < Math.min(batchLines, this.#lines.length)) {
      chars += this.#lines[count]!.length;
      if (count > 0 && chars > batchChars) break;
      count++;
    }
    const batch = this.#lines.splice(0, count);
    for (const line of batch) this.#chars -= line.length - 1;
    return batch;
  }

  async #deliver(batch: readonly string[]): Promise<void> {
    const { deliver, log, name, backoff = { minMs: 250, maxMs: 30_000 } } = this.#options;
    const gaveUp = this.#givenUp.signal;
    this.#inFlight = batch.length;
    const lost = this.#untold;
    const lines = lost > 0 ? [this.#lossLine(lost), ...batch] : batch;
    for (let tries = 0; ; tries++) {
      try {
        await withSignal(deliver(lines, gaveUp), gaveUp);
        this.#delivered += batch.length;
        this.#untold -= lost;
        break;
      } catch (error) {
        if (tries === 0 || isTerminal(error))
          log.warn({ sink: name, reason: messageOf(error) }, 'audit records can not be delivered');
        if (isTerminal(error) || gaveUp.aborted) {
          this.#drop(batch.length);
          // Otherwise what can't be told would be tried again at once, for ever.
          await sleep(backoff.minMs, gaveUp).catch(() => undefined);
          break;
        }
        await sleep(backoffMs(tries, backoff), gaveUp).catch(() => undefined);
      }
    }
    this.#inFlight = 0;
  }

  #lossLine(count: number): string {
    const responseTimestamp = new Date().toISOString();
    return `${JSON.stringify({ stage: 'RecordsDropped', dropped: count, responseTimestamp })}\n`;
  }

  /** Delivers what is left for as long as it may, and tells what was not. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { flushMs = 5000, log, name } = this.#options;
    this.#stopping.abort(new Error('the server is stopping'));
    this.#wake();
    const timer = setTimeout(() => this.#givenUp.abort(new Error('there was no more time')), flushMs);
    await this.#running;
    clearTimeout(timer);
    const left = this.#lines.length;
    if (left > 0) {
      this.#drop(left);
      this.#lines = [];
    }
    if (this.#untold > 0) log.warn({ sink: name, dropped: this.#untold }, 'audit records were lost at the end');
  }
}
