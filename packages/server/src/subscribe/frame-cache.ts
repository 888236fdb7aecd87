/**
 * Frames made lately, for the many that are sent the same: when thousands come at once, each resource is put into text once
 * for all of one audience. Young ones only, for what a frame shows may hang on more than the resource it is of.
 */

interface Kept {
  readonly frame: Buffer;
  readonly atMs: number;
}

const maxAgeMs = 5000;

export class FrameCache {
  /** In the order in which they were made. */
  readonly #kept = new Map<string, Kept>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = 32 << 20) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    return kept && performance.now() - kept.atMs < maxAgeMs ? kept.frame : undefined;
  }

  set(key: string, frame: Buffer): void {
    this.delete(key);
    const atMs = performance.now();
    this.#kept.set(key, { frame, atMs });
    this.#bytes += frame.length;
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= this.#maxBytes && atMs - kept.atMs < maxAgeMs) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    this.#bytes -= kept.frame.length;
  }
}
