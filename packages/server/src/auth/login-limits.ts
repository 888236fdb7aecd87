/**
 * How often somebody may fail to sign in: strictly per address and name together, loosely per name, and per address. A good
 * sign-in costs nothing, and who has signed in from an address before is not kept out by what strangers try elsewhere.
 */
import { isIPv6 } from 'node:net';
import { tooManyRequests } from '@drover/base';
import { Buckets } from './rate-limit.ts';

export interface Attempt {
  /** Gives back what the attempt took, and remembers the address for the name. */
  succeeded(): void;
  /** Gives back what the attempt took, for one that was not even looked at. */
  undo(): void;
}

export interface LoginLimitsOptions {
  readonly maxKeys?: number;
  readonly now?: () => number;
}

export class LoginLimits {
  readonly #perAddress: Buckets;
  readonly #perName: Buckets;
  readonly #perBoth: Buckets;
  readonly #known = new Set<string>();
  readonly #maxKeys: number;

  constructor(options: LoginLimitsOptions = {}) {
    const { maxKeys = 20_000, now } = options;
    this.#maxKeys = maxKeys;
    this.#perAddress = new Buckets({ burst: 60, perSecond: 1, maxKeys, now });
    this.#perName = new Buckets({ burst: 100, perSecond: 1, maxKeys, now });
    this.#perBoth = new Buckets({ burst: 10, perSecond: 1 / 10, maxKeys, now });
  }

  /** Throws TooManyRequests, with the seconds to wait, where one of the limits is reached. */
  attempt(address: string | undefined, username: string): Attempt {
    const from = networkOf(address || 'unknown');
    const name = username.slice(0, 128).toLowerCase();
    const both = `${from} ${name}`;
    const buckets: [Buckets, string][] = [
      [this.#perBoth, both],
      [this.#perAddress, from],
      ...(this.#known.has(both) ? [] : [[this.#perName, name] as [Buckets, string]]),
    ];
    const taken: [Buckets, string][] = [];
    const giveBack = () => {
      for (const [bucket, key] of taken) bucket.give(key);
    };
    for (const [bucket, key] of buckets) {
      const waitSeconds = bucket.take(key);
      if (waitSeconds > 0) {
        giveBack();
        throw tooManyRequests('too many failed sign-ins; wait a little', waitSeconds);
      }
      taken.push([bucket, key]);
    }
    return {
      succeeded: () => {
        giveBack();
        this.#remember(both);
      },
      undo: giveBack,
    };
  }

  #remember(both: string): void {
    this.#known.delete(both);
    if (this.#known.size >= this.#maxKeys) this.#known.delete(this.#known.values().next().value!);
    this.#known.add(both);
  }
}

/** One holder of IPv6 addresses has 2^64 of them at least: they count as one. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const filled = address.includes('::') ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0') : [];
  return [...left, ...filled, ...right]
    .slice(0, 4)
    .map(part => part.replace(/^0+(?=.)/, ''))
    .join(':');
}
