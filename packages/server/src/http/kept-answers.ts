/**
 * KeptAnswers: whole answers, ready to be sent again to the one they were made for, for as long as nothing that they were made of
 * has changed. Rights are among that, so that what is taken back is gone with the next request. Bounded by bytes; what was not
 * asked for longest goes first. Bytes that many are sent, such as the schemas, count once.
 */
import { Tally } from '@drover/base';
import type { Reads } from '../resources/index.ts';
import type { Caller } from './exchange.ts';
import { gzippedOnce } from './zip.ts';

export interface KeptAnswer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface Entry extends KeptAnswer {
  readonly reads: Reads;
  /** There when it was first asked for. */
  zipped?: Buffer;
  /** What it takes beside its bodies. */
  readonly own: number;
  isDropped: boolean;
}

export interface KeptAnswersOptions {
  readonly maxBytes?: number;
  /** A larger answer is made anew each time. */
  readonly maxAnswerBytes?: number;
}

/** What an entry takes beside its body, roughly. */
const overheadBytes = 1024;

export class KeptAnswers {
  readonly #entries = new Map<string, Entry>();
  /** How many entries hold the same bytes. */
  readonly #holders = new Tally<Buffer>();
  readonly #maxBytes: number;
  readonly #maxAnswerBytes: number;
  #bytes = 0;

  constructor({ maxBytes = 64 << 20, maxAnswerBytes = 16 << 20 }: KeptAnswersOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  /** What all of them take. */
  get bytes(): number {
    return this.#bytes;
  }

  find(key: string): KeptAnswer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (!entry.reads.areUnchanged) {
      this.#drop(key, entry);
      return undefined;
    }
    // The first in order is the one that goes first.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  keep(key: string, answer: KeptAnswer, reads: Reads): void {
    if (answer.body.length > this.#maxAnswerBytes || !reads.areUnchanged) return;
    const old = this.#entries.get(key);
    if (old) this.#drop(key, old);
    const entry: Entry = {
      ...answer,
      reads,
      own: key.length * 2 + overheadBytes,
      isDropped: false,
    };
    this.#entries.set(key, entry);
    this.#bytes += entry.own;
    this.#hold(entry.body);
    this.#makeRoom();
  }

  /** The body compressed: once for all who are sent it. */
  async zipped(answer: KeptAnswer): Promise<Buffer> {
    const entry = answer as Entry;
    if (entry.zipped) return entry.zipped;
    const zipped = await gzippedOnce(answer.body);
    if (!entry.zipped && !entry.isDropped) {
      entry.zipped = zipped;
      this.#hold(zipped);
      this.#makeRoom();
    }
    return zipped;
  }

  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    entry.isDropped = true;
    this.#bytes -= entry.own;
    this.#release(entry.body);
    if (entry.zipped) this.#release(entry.zipped);
  }

  #hold(bytes: Buffer): void {
    if (this.#holders.add(bytes) === 1) this.#bytes += bytes.length;
  }

  #release(bytes: Buffer): void {
    if (this.#holders.remove(bytes) === 0) this.#bytes -= bytes.length;
  }
}

const identities = new WeakMap<Caller, string>();

/** Who asks, as far as it decides what he is shown: the same person with another token is the same, unless it is for one cluster. */
export function identityOf(caller: Caller): string {
  let text = identities.get(caller);
  if (text === undefined) {
    text = JSON.stringify([caller.userId, caller.clusterId ?? '', caller.groups, caller.extra['principalid'] ?? []]);
    identities.set(caller, text);
  }
  return text;
}
