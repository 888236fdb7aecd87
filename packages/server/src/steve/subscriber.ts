/**
 * Subscriber: one client of `/v1/subscribe` and all that he watches. He is told of what he may see at the moment of each event; what he
 * does not read is kept up to a bound, and then he is dropped with the reason.
 */
import { badRequest, isNotFound, type Log, messageOf, StatusError } from '@drover/base';
import type { Sink } from '../subscribe/subscriber.ts';
import type { RowEvent } from './cache/worker-calls.ts';
import { type Counts, changedCounts, countResource, countsOf } from './counts.ts';
import { frame, frameOf, keyOfWish, type Wish, wishFilter } from './frames.ts';
import { linker, render, type View } from './links.ts';
import type { Feed } from './realm.ts';
import { schemaCollection } from './root.ts';
import { findType, type SteveType } from './steve-type.ts';
import { isSecret } from './type-cache.ts';

const maxWatches = 500;
const maxWaiting = 2000;
const defaultDebounceMs = 5000;
const pingMs = 30_000;
const stuckMs = 30_000;
/** Rights change in storms. */
const settleMs = 1000;
const countEveryMs = 5000;
const schemaEveryMs = 10_000;

interface Watch {
  readonly wish: Wish;
  readonly key: string;
  readonly stop: () => void;
}

export interface SubscriberOptions {
  /** The view as his rights are now. */
  readonly view: () => Promise<View>;
  readonly sink: Sink;
  readonly version: () => string;
  readonly log: Log;
}

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #watches = new Map<string, Watch>();
  #waiting: (() => Promise<Buffer | undefined> | Buffer | undefined)[] = [];
  #pumping = false;
  #readMs = performance.now();
  #closed = false;
  readonly #ping: NodeJS.Timeout;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#ping = setInterval(() => this.#onPing(), pingMs / 6);
  }

  /** Takes one frame of the client. What it can't be told is told him; the socket stays. */
  async receive(text: string): Promise<void> {
    let wish: Wish & { readonly resourceVersion?: string; readonly stop?: boolean };
    try {
      wish = parseWish(text);
    } catch (error) {
      this.#send(frame('resource.error', undefined, { data: { error: messageOf(error) } }));
      return;
    }
    const key = keyOfWish(wish);
    const known = this.#watches.get(key);
    if (wish.stop) {
      if (known) this.#end(known);
      return;
    }
    if (known) return;
    if (this.#watches.size >= maxWatches) {
      this.#fail(wish, `you watch ${maxWatches} types already`);
      return;
    }
    // Taken at once, so that the same wish again is not a second watch.
    const held = { wish, key, stop: () => undefined };
    this.#watches.set(key, held);
    try {
      await this.#start(held, wish.resourceVersion);
    } catch (error) {
      if (this.#watches.get(key) === held) this.#watches.delete(key);
      if (!(error instanceof StatusError)) this.#options.log.error({ err: error }, 'a watch could not be begun');
      this.#fail(wish, error instanceof StatusError ? messageOf(error) : 'internal error');
    }
  }

  /** The client takes more. */
  async pump(): Promise<void> {
    this.#readMs = performance.now();
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting.length > 0 && !this.#closed && this.#options.sink.isReady()) {
        const bytes = await this.#waiting.shift()!();
        if (bytes && !this.#closed) this.#options.sink.send(bytes);
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'a subscription ended in a way it should not');
      this.#options.sink.close(1011, 'internal error');
    } finally {
      this.#pumping = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#ping);
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
    this.#waiting = [];
  }

  async #start(held: Watch, version: string | undefined): Promise<void> {
    const { wish } = held;
    let view = await this.#options.view();
    const name = wish.resourceType.toLowerCase();
    if (name === 'count' || name === 'counts') {
      this.#poll(held, countEveryMs, this.#countTold(held));
      return;
    }
    if (name === 'schema' || name === 'schemas') {
      this.#poll(held, schemaEveryMs, this.#schemaTold(held));
      return;
    }
    const type = findType(await view.realm.types(), wish.resourceType);
    if (!type) throw new StatusError(404, 'NotFound', `failed to find schema ${wish.resourceType}`);
    const mayWatch = ['list', 'watch', 'get'].some(verb => view.rights.mayAny(verb, type));
    if (!mayWatch) throw new StatusError(403, 'Forbidden', `watch not allowed of ${type.id}`);
    if (!type.verbs.includes('list'))
      throw new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
    const wanted = wishFilter(wish);
    const feed = await view.realm.feed(type);
    if (this.#closed || this.#watches.get(held.key) !== held) return;
    this.#send(frame('resource.start', wish, {}));
    const reach = feed.reachKey();
    const tell =
      wish.mode === 'resource.changes'
        ? this.#changesOf(held, feed)
        : (event: RowEvent) => this.#tell(held, { view, type, event });
    const tellIfSeen = (event: RowEvent) => {
      if (wanted(event) && feed.sees(event)) tell(event);
    };
    let look: NodeJS.Timeout | undefined;
    // Whatever he may do by now shows in the links, once it has come to rest.
    const lookAgain = () => {
      look ??= setTimeout(() => {
        look = undefined;
        this.#options.view().then(
          fresh => (view = fresh),
          () => this.#end(held),
        );
      }, settleMs).unref();
    };
    const stops = [
      feed.subscribe({ event: tellIfSeen, ended: () => this.#end(held) }),
      // What he is shown at all is something else by now: he asks anew.
      view.realm.onRights(() => (feed.reachKey() === reach ? lookAgain() : this.#end(held))),
      () => clearTimeout(look),
    ];
    this.#replace(held, () => {
      for (const stop of stops) stop();
    });
    const missed = version === undefined || version === '' ? [] : missedOf(feed, version);
    if (missed === undefined) {
      this.#send(frame('resource.error', wish, { data: { error: 'resourceversion too old' } }));
      this.#end(held);
      return;
    }
    for (const event of missed) tellIfSeen(event);
  }

  #tell({ wish, key }: Watch, { view, type, event }: { view: View; type: SteveType; event: RowEvent }): void {
    const { id, namespace, name, version: revision } = event;
    const at = { id, namespace, name };
    if (isSecret(type) && event.type !== 'remove') {
      // Its body is nowhere but in the cluster, which is asked as him.
      this.#enqueue(async () => {
        const shown = await view.realm.get(type, at, { managed: true }).catch(ifGone);
        return (
          shown && frame(`resource.${event.type}`, wish, { revision, text: render(type, shown, linker(view, type)) })
        );
      });
      return;
    }
    const make = () => {
      const text = event.text || `"metadata":${JSON.stringify({ name, ...(namespace ? { namespace } : {}) })}`;
      return frame(`resource.${event.type}`, wish, {
        revision,
        text: render(type, { ...at, text }, linker(view, type)),
      });
    };
    this.#enqueue(() => frameOf(event, { rights: view.rights, key: `${view.root} ${key}` }, make));
  }

  /** Tells that there is something new: the first at once, then no more often than the client wants to hear it. */
  #changesOf({ wish, key }: Watch, feed: Feed): (event: RowEvent) => void {
    let quietUntil = 0;
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      timer = undefined;
      if (!this.#watches.has(key)) return;
      quietUntil = performance.now() + (wish.debounceMs || defaultDebounceMs);
      this.#enqueue(() => frame('resource.changes', wish, { revision: feed.version }));
    };
    return () => {
      if (timer) return;
      const waitMs = quietUntil - performance.now();
      timer = setTimeout(tell, Math.max(0, waitMs)).unref();
    };
  }

  #poll(held: Watch, everyMs: number, look: () => Promise<void>): void {
    this.#send(frame('resource.start', held.wish, {}));
    let running = false;
    const run = async () => {
      if (running) return;
      running = true;
      await look().catch(error => {
        this.#send(frame('resource.error', held.wish, { data: { error: messageOf(error) } }));
        this.#end(held);
      });
      running = false;
    };
    const timer = setInterval(() => void run(), everyMs).unref();
    this.#replace(held, () => clearInterval(timer));
    void run();
  }

  #countTold({ wish, key }: Watch): () => Promise<void> {
    let before: Counts = {};
    return async () => {
      const view = await this.#options.view();
      const after = await countsOf(view, this.#options.log);
      const changed = changedCounts(before, after);
      before = after;
      if (changed && this.#watches.has(key))
        this.#send(frame('resource.change', wish, { data: countResource(view.root, changed) }));
    };
  }

  #schemaTold({ wish, key }: Watch): () => Promise<void> {
    let before: ReadonlyMap<string, string> | undefined;
    return async () => {
      const view = await this.#options.view();
      const { data } = (await schemaCollection(view, [...(await view.realm.types()).values()])) as {
        data: { id: string }[];
      };
      const after = new Map(data.map(schema => [schema.id, JSON.stringify(schema)]));
      if (!this.#watches.has(key)) return;
      for (const [id, text] of before ? after : []) {
        const old = before!.get(id);
        if (old !== text) this.#send(frame(old === undefined ? 'resource.create' : 'resource.change', wish, { text }));
      }
      for (const [id, text] of before ?? []) if (!after.has(id)) this.#send(frame('resource.remove', wish, { text }));
      before = after;
    };
  }

  #replace(held: Watch, stop: () => void): void {
    if (this.#watches.get(held.key) !== held) stop();
    else this.#watches.set(held.key, { ...held, stop });
  }

  #fail(wish: Wish, error: string): void {
    this.#send(frame('resource.start', wish, {}));
    this.#send(frame('resource.error', wish, { data: { error } }));
    this.#send(frame('resource.stop', wish, {}));
  }

  #end(held: Watch | undefined): void {
    const watch = held && this.#watches.get(held.key);
    if (!watch) return;
    this.#watches.delete(watch.key);
    watch.stop();
    this.#send(frame('resource.stop', watch.wish, {}));
  }

  #send(bytes: Buffer): void {
    this.#enqueue(() => bytes);
  }

  #enqueue(make: () => Promise<Buffer | undefined> | Buffer | undefined): void {
    if (this.#closed) return;
    if (this.#waiting.length >= maxWaiting) {
      this.#options.sink.close(1013, 'you do not read as fast as there is news: subscribe again');
      this.close();
      return;
    }
    const idle = this.#waiting.length === 0;
    this.#waiting.push(make);
    if (idle && this.#options.sink.isReady()) void this.pump();
  }

  #pinged = performance.now();

  #onPing(): void {
    const now = performance.now();
    if (this.#options.sink.isReady()) this.#readMs = now;
    else if (now - this.#readMs > stuckMs)
      this.#options.sink.close(1013, 'you do not read what is sent: subscribe again');
    if (now - this.#pinged < pingMs || !this.#options.sink.isReady()) return;
    this.#pinged = now;
    this.#send(frame('ping', undefined, { data: { type: 'subscribe', links: {}, version: this.#options.version() } }));
  }
}

/** What happened since; undefined where that is not known any more. */
function missedOf(feed: Feed, version: string): readonly RowEvent[] | undefined {
  if (!/^\d{1,19}$/.test(version)) return undefined;
  return feed.after(BigInt(version));
}

function ifGone(error: unknown): undefined {
  if (isNotFound(error) || (error instanceof StatusError && error.reason === 'Forbidden')) return undefined;
  throw error;
}

function parseWish(text: string): Wish & { readonly resourceVersion?: string; readonly stop?: boolean } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw badRequest(`a frame must be JSON: ${messageOf(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw badRequest('a frame must be an object');
  const wish = parsed as Record<string, unknown>;
  const field = (name: string) => {
    const value = wish[name];
    if (value === undefined || value === null || value === '') return {};
    if (typeof value !== 'string' || value.length > 1024)
      throw badRequest(`${name} must be a text of at most 1024 characters`);
    return { [name]: value };
  };
  const { debounceMs = 0, stop = false } = wish;
  if (typeof debounceMs !== 'number' || !(debounceMs >= 0))
    throw badRequest('debounceMs must be a number of 0 or more');
  if (typeof wish['resourceType'] !== 'string' || wish['resourceType'] === '')
    throw badRequest('resourceType is required');
  return {
    resourceType: '',
    ...field('resourceType'),
    ...field('namespace'),
    ...field('id'),
    ...field('selector'),
    ...field('mode'),
    ...field('resourceVersion'),
    ...(debounceMs > 0 ? { debounceMs } : {}),
    stop: stop === true,
  };
}
