/**
 * Token buckets on the monotonic clock, one or many by key. The many are bounded: when there are too many keys the one
 * touched longest ago is forgotten, which errs on the side of letting somebody in.
 */

export interface BucketOptions {
  /** How many at once. */
  readonly burst: number;
  /** How fast it fills again. */
  readonly perSecond: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

export class Bucket {
  readonly #options: BucketOptions;
  #level: number;
  #at: number;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#level = options.burst;
    this.#at = this.#now();
  }

  /** Takes one; 0 when there was one, else the whole seconds until there is. */
  take(): number {
    this.#fill();
    if (this.#level >= 1) {
      this.#level -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - this.#level) / this.#options.perSecond));
  }

  /** Gives one back, where what it was taken for turned out not to count. */
  give(): void {
    this.#level = Math.min(this.#options.burst, this.#level + 1);
  }

  isFull(): boolean {
    this.#fill();
    return this.#level >= this.#options.burst;
  }

  #fill(): void {
    const { burst, perSecond } = this.#options;
    const now = this.#now();
    this.#level = Math.min(burst, this.#level + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }
}

export class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #options: BucketOptions & { readonly maxKeys: number };

  constructor(options: BucketOptions & { readonly maxKeys: number }) {
    this.#options = options;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** As Bucket's `take`, from the key's own. */
  take(key: string): number {
    let bucket = this.#buckets.get(key);
    if (bucket) this.#buckets.delete(key);
    else {
      if (this.#buckets.size >= this.#options.maxKeys) this.#forget();
      bucket = new Bucket(this.#options);
    }
    this.#buckets.set(key, bucket);
    return bucket.take();
  }

  give(key: string): void {
    const bucket = this.#buckets.get(key);
    bucket?.give();
    if (bucket?.isFull()) this.#buckets.delete(key);
  }

  /** The oldest goes, and with it those right behind it that are full again and so say nothing. */
  #forget(): void {
    let left = 16;
    for (const [key, bucket] of this.#buckets) {
      if (left-- === 16 || bucket.isFull()) this.#buckets.delete(key);
      if (left === 0) return;
    }
  }
}
