/**
 * KeptAnswers: whole answers, ready to be sent again to the one they were made for, for as long as nothing that they were made of
 * has changed. Rights are among that, so that what is taken back is gone with the next request. Bounded by bytes; what was not
 * asked for longest goes first.
 */
import type { Reads } from '../resources/index.ts';
import type { Caller } from './exchange.ts';
import { gzipped } from './zip.ts';

export interface KeptAnswer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface Entry extends KeptAnswer {
  readonly reads: Reads;
  /** Made when it is first asked for. */
  zipped?: Promise<Buffer>;
  bytes: number;
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
      bytes: answer.body.length + key.length * 2 + overheadBytes,
      isDropped: false,
    };
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#makeRoom();
  }

  /** The body compressed: once for all who are sent it. */
  async zipped(answer: KeptAnswer): Promise<Buffer> {
    const entry = answer as Entry;
    if (!entry.zipped) {
      entry.zipped = gzipped(answer.body);
      const { length } = await entry.zipped;
      entry.bytes += length;
      if (!entry.isDropped) this.#bytes += length;
      this.#makeRoom();
    }
    return entry.zipped;
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
    this.#bytes -= entry.bytes;
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
