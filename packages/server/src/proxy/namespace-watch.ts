/**
 * A watch of the namespaces that somebody sees. The cluster's own stream goes through with what is not his left out, and with what comes
 * into his sight or leaves it turned into ADDED and DELETED: because the namespace has moved, or because his rights are others now.
 */
import { once } from 'node:events';
import { anySignal, Tally, tooLarge, tooManyRequests } from '@drover/base';
import type { Exchange } from '../http/exchange.ts';
import { type Form, formOf, type Item, type WatchedEvent } from './namespace-form.ts';
import { given, isBare, objectOf, readPages } from './namespace-list.ts';
import { grantsSeenBy, type NamespaceView, namespacesPath, noteSeen } from './namespace-view.ts';

/** Changes of rights come in storms. */
const settleMs = 200;
/** Filtered watches of one cluster at once, and of one person. */
export const mostNamespaceWatches = 500;
const mostOfOne = 50;
const running = new Tally<string>();
const mostKnown = 100_000;
const mostBytes = 16 << 20;

/** What is known of a namespace at the place in the stream that has been reached. */
interface Known {
  readonly resourceVersion: string;
  readonly project: string | undefined;
  /** The last that the client was shown of it; undefined where he does not have it. */
  readonly shown: Item | undefined;
}

export async function answerWatch(view: NamespaceView, exchange: Exchange): Promise<void> {
  const { caller, clusterId } = view.asked;
  const counts = [
    [`cluster ${clusterId}`, mostNamespaceWatches],
    [`user ${caller.userId}`, mostOfOne],
  ] as const;
  if (counts.some(([key, most]) => running.of(key) >= most))
    throw tooManyRequests('too many watches of namespaces run already; end some, or try again later', 5);
  for (const [key] of counts) running.add(key);
  try {
    await new NamespaceWatch(view, exchange).run();
  } finally {
    for (const [key] of counts) running.remove(key);
  }
}

class NamespaceWatch {
  readonly #view: NamespaceView;
  readonly #exchange: Exchange;
  readonly #known = new Map<string, Known>();
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #form!: Form;
  /** Events of the stream and looks at all that is known take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #settling: NodeJS.Timeout | undefined;
  /** The last revision that the client can go on from. */
  #reached = '';

  constructor(view: NamespaceView, exchange: Exchange) {
    this.#exchange = exchange;
    this.#signal = anySignal(this.#over.signal, view.deps.signalOf(view.asked.caller));
    // Whoever loses something in the cluster has what runs there cut; this goes on, and tells him what he lost.
    this.#view = { ...view, asked: { ...view.asked, signal: this.#signal } };
    exchange.response.once('close', () => this.#end());
  }

  async run(): Promise<void> {
    const { query, accept, deps, asked } = this.#view;
    const from = query.get('resourceVersion') ?? '';
    // What the client has already is what he sees of the state that he begins at.
    if (from !== '' && from !== '0' && query.get('sendInitialEvents') !== 'true') await this.#readBase(from);
    const { body, headers } = await deps.watching(asked.clusterId).stream('GET', namespacesPath, {
      query: { ...given(query, ...passedOn), ...objectOf(query), watch: true },
      headers: { accept },
      signal: this.#signal,
    });
    const contentType = String(headers['content-type'] ?? '');
    this.#form = formOf(contentType, isBare(query));
    deps.access.onChange(userId => this.#rightsChanged(userId), this.#signal);
    // What changed between his list and now.
    this.#rightsChanged(undefined);
    const { response } = this.#exchange;
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    try {
      let rest: Buffer = Buffer.alloc(0);
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
        if (bytes.length > mostBytes) throw tooLarge('an event of the cluster is too long');
        const { events, used } = this.#form.readEvents(bytes);
        rest = Buffer.from(bytes.subarray(used));
        for (const event of events) await this.#inTurn(() => this.#apply(event));
      }
      response.end();
    } catch {
      // An answer that breaks off must not look whole.
      response.destroy();
    } finally {
      this.#end();
      body.on('error', () => undefined).destroy();
    }
  }

  #end(): void {
    clearTimeout(this.#settling);
    this.#over.abort(new Error('the watch is over'));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #readBase(resourceVersion: string): Promise<void> {
    this.#reached = resourceVersion;
    const grants = grantsSeenBy(this.#view, resourceVersion);
    for await (const { page, form } of readPages(this.#view, { resourceVersion })) {
      for (const item of page.items) {
        const isSeen = this.#view.sees(item, grants);
        this.#know(item, isSeen ? form.asWatched(page, item) : undefined);
      }
    }
  }

  #know({ name, resourceVersion, project }: Item, shown: Item | undefined): void {
    if (this.#known.size >= mostKnown) throw tooLarge('the cluster has too many namespaces to be watched so');
    this.#known.set(name, { resourceVersion, project, shown });
  }

  async #apply({ type, item, raw }: WatchedEvent): Promise<void> {
    if (!item) return this.#send(type, { item, raw });
    this.#reached = item.resourceVersion;
    noteSeen(this.#view, this.#reached);
    const had = this.#known.get(item.name)?.shown;
    if (type === 'DELETED') {
      this.#known.delete(item.name);
      if (had) await this.#send('DELETED', { item, raw });
      return;
    }
    const isSeen = this.#view.sees(item);
    this.#know(item, isSeen ? item : undefined);
    if (isSeen) await this.#send(had ? 'MODIFIED' : 'ADDED', { item, raw });
    // As he last saw it: what it has become is not his to know.
    else if (had) await this.#send('DELETED', { item: had, raw: undefined });
  }

  /** Of other people only their own changes matter, and those of roles to all. */
  #rightsChanged(userId: string | undefined): void {
    const { caller, identity } = this.#view.asked;
    if (userId !== undefined) {
      // Other groups: who he is has changed, and the client begins anew as that.
      if (userId === caller.userId || userId === identity.userId) this.#exchange.response.end();
      return;
    }
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#inTurn(() => this.#lookAgain()).catch(() => this.#exchange.response.destroy());
    }, settleMs).unref();
  }

  async #lookAgain(): Promise<void> {
    const { deps, asked } = this.#view;
    const appeared = new Set<string>();
    for (const [name, known] of this.#known) {
      const isSeen = this.#view.sees({ name, project: known.project });
      if (isSeen && !known.shown) appeared.add(name);
      if (isSeen || !known.shown) continue;
      this.#known.set(name, { ...known, shown: undefined });
      await this.#send('DELETED', { item: known.shown, raw: undefined });
    }
    if (this.#reached) noteSeen(this.#view, this.#reached);
    if (!deps.access.mayReach(asked.caller, asked.clusterId)) this.#exchange.response.end();
    if (appeared.size === 0) return;
    for await (const { page, form } of readPages(this.#view, {})) {
      for (const item of page.items) {
        const known = this.#known.get(item.name);
        // One that has changed since comes in the stream, in its place.
        if (!appeared.has(item.name) || known?.resourceVersion !== item.resourceVersion) continue;
        const shown = form.asWatched(page, item);
        this.#known.set(item.name, { ...known, shown });
        await this.#send('ADDED', { item: shown, raw: undefined });
      }
    }
  }

  async #send(type: string, event: Pick<WatchedEvent, 'item' | 'raw'>): Promise<void> {
    const { response } = this.#exchange;
    if (response.writableEnded || response.destroyed) return;
    if (response.write(this.#form.makeEvent(type, event))) return;
    await once(response, 'drain', { signal: this.#signal });
  }
}

const passedOn = [
  ...['labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'timeoutSeconds'],
  ...['allowWatchBookmarks', 'sendInitialEvents'],
];
