/**
 * Subscriber: one client, and what it has yet to be told. Surprise: it keeps keys, not events: a client that reads slowly
 * gets each resource as it is by then, holds up nobody, and is dropped when it does not read at all.
 */

import type { ApiView, ServedType } from '../api/behaviour.ts';
import type { Audience, Member } from './audience.ts';
import { removeFrame } from './look.ts';
import { textFrame } from './text-frame.ts';

/** Where frames go. */
export interface Sink {
  /** Whether what is sent now goes out at once, instead of piling up here. */
  isReady(): boolean;
  /** Sends a text. */
  send(text: Buffer): void;
  /** Sends a whole text frame as it goes over the wire. */
  write(frame: Buffer): void;
  /** Asks the client's end for a sign of life. */
  probe(): void;
  close(code: number, reason: string): void;
}

export interface SubscriberOptions {
  readonly types: readonly ServedType[];
  readonly query: URLSearchParams;
  readonly sink: Sink;
  /** The bookmark of a ping that the client got before: it is told of what changed since, where that is known. */
  readonly resume?: string;
  readonly pingEveryMs?: number;
  /** A client that reads nothing for so long while something waits for it is dropped; twice as long if nothing waits. */
  readonly stuckAfterMs?: number;
}

export class Subscriber implements Member {
  readonly view: ApiView;
  readonly types: readonly ServedType[];
  readonly query: URLSearchParams;
  readonly resume: string | undefined;
  isSettled = false;
  isClosed = false;
  /** The rights that its audiences are of; undefined until it has some. */
  rights: string | undefined;
  /** Its audiences in short, for bookmarks; made when it is needed. */
  digest: string | undefined;
  readonly #sink: Sink;
  /** The keys to look at, by audience, each with the id under which the client was shown it before. */
  #seats = new Map<Audience, Map<string, string | undefined>>();
  #waiting = 0;
  #pumping = false;
  readonly #ping: NodeJS.Timeout;
  readonly #stuckAfterMs: number;
  #heardMs = performance.now();
  #readMs = performance.now();

  /** `bookmark` gives where the client is, if it can be said just now. */
  constructor(view: ApiView, options: SubscriberOptions, bookmark: (of: Subscriber) => string | undefined) {
    const { types, query, sink, pingEveryMs = 5000, stuckAfterMs = 30_000 } = options;
    this.view = view;
    this.types = types;
    this.query = query;
    this.resume = options.resume;
    this.#sink = sink;
    this.#stuckAfterMs = stuckAfterMs;
    this.#ping = setInterval(() => this.#onPing(bookmark), pingEveryMs);
  }

  get audiences(): readonly Audience[] {
    return [...this.#seats.keys()];
  }

  /** Whether the client has been sent all there was. */
  get isCurrent(): boolean {
    return this.isSettled && this.#waiting === 0 && this.audiences.every(audience => audience.isIdle);
  }

  /** Takes these audiences' seats instead of those it has, in the order of its types. What differs is told, once settled. */
  move(audiences: readonly Audience[]): void {
    const old = [...this.#seats];
    this.digest = undefined;
    this.#seats = new Map(audiences.map(audience => [audience, new Map()]));
    this.#waiting = 0;
    for (const [i, audience] of audiences.entries()) {
      audience.join(this);
      const [before, pending] = old[i] ?? [];
      if (before && pending) this.#compare(before, pending, audience);
    }
  }

  /** Has the client told of these, whatever it knows. */
  tellOf(audience: Audience, keys: Iterable<readonly [key: string, before: string | undefined]>): void {
    for (const [key, before] of keys) this.later(audience, key, before);
  }

  tell(audience: Audience, { key, before, frame }: Parameters<Member['tell']>[1]): void {
    if (!this.isSettled || this.#waiting > 0 || !this.#sink.isReady()) this.later(audience, key, before);
    else this.#sink.write(frame);
  }

  later(audience: Audience, key: string, before: string | undefined): void {
    const pending = this.#seats.get(audience);
    if (!pending || pending.has(key)) return;
    pending.set(key, before);
    this.#waiting++;
  }

  settle(): void {
    this.isSettled = true;
    void this.pump();
  }

  /** A frame that is about no resource. */
  say(name: string): void {
    this.#sink.write(textFrame({ name, data: {} }));
  }

  /** Sends what waits for as long as the client takes it; to be called again when it takes more. */
  async pump(): Promise<void> {
    this.#readMs = performance.now();
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting > 0) {
        for (const [audience, pending] of this.#seats) {
          for (const [key, before] of pending) {
            if (!this.#mayGoOn()) return;
            pending.delete(key);
            this.#waiting--;
            const found = audience.frameFor(this.view, key);
            const frame = found instanceof Promise ? await found : found;
            // His rights may have changed while it was looked at.
            if (!this.isSettled) this.later(audience, key, before);
            else if (frame) this.#sink.write(frame);
            else if (before !== undefined) this.#sink.write(removeFrame(audience.wanted.type, before));
          }
        }
      }
    } catch (error) {
      this.drop(1011, 'internal error');
      this.view.deps.log.error({ err: error }, 'a subscription ended in a way it should not');
    } finally {
      this.#pumping = false;
    }
  }

  /** The client's end has answered. */
  heard(): void {
    this.#heardMs = performance.now();
  }

  drop(code: number, reason: string): void {
    if (!this.isClosed) this.#sink.close(code, reason);
  }

  /** The client is gone. */
  close(): void {
    this.isClosed = true;
    this.isSettled = false;
    clearInterval(this.#ping);
    for (const audience of this.#seats.keys()) audience.leave(this);
    this.#seats.clear();
    this.#waiting = 0;
  }

  #mayGoOn(): boolean {
    return this.isSettled && !this.isClosed && this.#sink.isReady();
  }

  /** Has the client told of what it sees now and did not, and the other way round. */
  #compare(old: Audience, pending: ReadonlyMap<string, string | undefined>, next: Audience): void {
    if (old === next) {
      this.tellOf(next, pending);
      return;
    }
    const unlooked = old.leave(this);
    this.tellOf(next, pending);
    for (const key of unlooked) this.later(next, key, old.ids.get(key));
    for (const key of next.ids.keys())
      if (!old.ids.has(key) || old.offersOf(key) !== next.offersOf(key)) this.later(next, key, old.ids.get(key));
    for (const [key, id] of old.ids) if (!next.ids.has(key)) this.later(next, key, id);
  }

  #onPing(bookmark: (of: Subscriber) => string | undefined): void {
    const now = performance.now();
    if (!this.#sink.isReady()) {
      if (now - this.#readMs > this.#stuckAfterMs) this.drop(1013, 'you do not read what is sent: subscribe again');
      return;
    }
    this.#readMs = now;
    if (now - this.#heardMs > 2 * this.#stuckAfterMs) {
      this.drop(1013, 'your end did not answer');
      return;
    }
    if (now - this.#heardMs > this.#stuckAfterMs) this.#sink.probe();
    const resume = bookmark(this);
    this.#sink.write(textFrame({ name: 'ping', data: {}, ...(resume ? { resume } : {}) }));
  }
}
