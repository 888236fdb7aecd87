/**
 * Live subscriber: one client of v3's subscribe and what he is told of a cluster's own objects. All of a cluster's subscribers
 * share its watches, which are the server's; he is told of what he may see there at the moment in which he is told.
 */
import type { LiveObject, V3Data } from '@drover/api';
import { hasReason, type Log, messageOf, StatusError } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import { passes } from '../api/collection.ts';
import { mayChange } from '../api/may-change.ts';
import { withLinks } from '../api/show.ts';
import type { Rights } from '../steve/rbac.ts';
import type { Feed, Realm } from '../steve/realm.ts';
import { changeFrame, type Wanted, wantedOf } from '../subscribe/look.ts';
import type { Sink } from '../subscribe/subscriber.ts';
import { textFrame } from '../subscribe/text-frame.ts';
import { rightsIn } from './live-rights.ts';
import { type LiveSource, placeOfContext } from './live-sources.ts';

type SteveType = Parameters<Realm['feed']>[0];
type RowEvent = Parameters<Feed['sees']>[0];

const changes = ['update', 'delete'] as const;
const pageSize = 200;
/** Changed objects that wait for a client who reads slowly. */
const maxWaiting = 10_000;
/** Rights and namespaces change in storms. */
const settleMs = 1000;

interface Watch {
  readonly source: LiveSource;
  readonly wanted: Wanted;
  readonly type: SteveType;
  readonly feed: Feed;
  /** What the client was shown, so that he can be told when he sees it no more. */
  readonly shown: Set<string>;
  /** The latest that is known of each object that changed. */
  readonly waiting: Map<string, RowEvent>;
  reach: string;
  /** All of it is to be looked at again. */
  stale: boolean;
}

export interface LiveSubscriberOptions {
  readonly realm: Realm;
  readonly sources: readonly LiveSource[];
  readonly query: URLSearchParams;
  readonly sink: Sink;
  readonly log: Log;
}

export class LiveSubscriber {
  readonly #view: ApiView;
  readonly #options: LiveSubscriberOptions;
  readonly #watches: Watch[] = [];
  readonly #stops: (() => void)[] = [];
  /** A project's namespaces; undefined where the whole cluster is meant. */
  #namespaces: ReadonlySet<string> | undefined;
  /** In the cluster; undefined where they are not known. */
  #rights: Rights | undefined;
  #waiting = 0;
  #pumping = false;
  #closed = false;
  #drained = Promise.withResolvers<void>();
  #settling: NodeJS.Timeout | undefined;

  constructor(view: ApiView, options: LiveSubscriberOptions) {
    this.#view = view;
    this.#options = options;
    this.#start().then(
      () => this.pump(),
      error => this.#fail(error),
    );
  }

  /** Sends what waits for as long as the client takes it; to be called again when it takes more. */
  async pump(): Promise<void> {
    this.#drained.resolve();
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let more = true; more && !this.#closed; ) {
        more = false;
        for (const watch of this.#watches) more = (await this.#work(watch)) || more;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    for (const stop of this.#stops.splice(0)) stop();
    this.#watches.length = 0;
    this.#drained.resolve();
  }

  async #start(): Promise<void> {
    const { realm, sources, query } = this.#options;
    const { project, clusterId } = placeOfContext(this.#view);
    const types = [...(await realm.types()).values()];
    const find = (apiVersion: string, resource: string) =>
      types.find(type => type.resource === resource && type.ref.apiVersion === apiVersion);
    if (project !== undefined) await this.#followProject(realm, project, find('v1', 'namespaces'));
    this.#rights = await rightsIn(clusterId, () => realm);
    for (const source of sources) {
      const type = find(source.apiVersion, source.resource);
      if (!type) continue;
      const feed = await realm.feed(type);
      if (this.#closed) return;
      const wanted = wantedOf(this.#view, source.served, query);
      const [shown, waiting] = [new Set<string>(), new Map<string, RowEvent>()];
      const reach = this.#reachOf(feed, type);
      const watch: Watch = { source, wanted, type, feed, shown, waiting, reach, stale: true };
      this.#stops.push(feed.subscribe({ event: event => this.#note(watch, event), ended: () => this.#away() }));
      this.#watches.push(watch);
    }
    this.#stops.push(realm.onRights(() => this.#settle()));
  }

  async #followProject(realm: Realm, project: string, type: SteveType | undefined): Promise<void> {
    this.#namespaces = new Set(await realm.namespacesOf([project]));
    if (!type || this.#closed) return;
    const feed = await realm.feed(type);
    this.#stops.push(feed.subscribe({ event: () => this.#settle(), ended: () => this.#away() }));
  }

  /** He may see something else by now, or the project has other namespaces: looked at when that has come to rest. */
  #settle(): void {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#lookAgain().then(
        () => this.pump(),
        error => this.#fail(error),
      );
    }, settleMs).unref();
  }

  async #lookAgain(): Promise<void> {
    const { project, clusterId } = placeOfContext(this.#view);
    const before = this.#namespaces;
    this.#rights = await rightsIn(clusterId, () => this.#options.realm);
    if (before && project !== undefined) this.#namespaces = new Set(await this.#options.realm.namespacesOf([project]));
    const others = this.#namespaces && before && this.#namespaces.symmetricDifference(before).size > 0;
    for (const watch of this.#watches) {
      const reach = this.#reachOf(watch.feed, watch.type);
      if (reach === watch.reach && !others) continue;
      watch.reach = reach;
      watch.stale = true;
    }
  }

  #note(watch: Watch, event: RowEvent): void {
    if (!watch.waiting.has(event.id)) this.#waiting++;
    watch.waiting.set(event.id, event);
    if (this.#waiting > maxWaiting) this.#drop(1013, 'you do not read as fast as there is news: subscribe again');
    else void this.pump();
  }

  /** Whether there was something to do. */
  async #work(watch: Watch): Promise<boolean> {
    if (!watch.stale && watch.waiting.size === 0) return false;
    if (watch.stale) {
      watch.stale = false;
      await this.#lookAtAll(watch);
    }
    for (const [id, event] of watch.waiting) {
      await this.#ready();
      if (this.#closed) return false;
      watch.waiting.delete(id);
      this.#waiting--;
      await this.#tell(watch, event);
    }
    return true;
  }

  async #lookAtAll(watch: Watch): Promise<void> {
    const seen = new Set<string>();
    const within = this.#namespaces;
    const values = within && [...within];
    const filters = values ? [[{ key: 'metadata.namespace', op: 'in' as const, values }]] : [];
    for (let number = 1; !values || values.length > 0; number++) {
      const { rows } = await this.#options.realm.list(
        watch.type,
        {
          reach: { namespaces: [], names: [], ids: [] },
          filters,
          sort: [],
          page: { number, size: pageSize },
          summary: [],
          summaryOnly: false,
          summaryNamespaced: false,
        },
        { managed: false },
      );
      for (const row of rows) {
        await this.#ready();
        if (this.#closed) return;
        const event: RowEvent = { ...row, type: 'change', version: '' };
        if (await this.#tell(watch, event)) seen.add(this.#idOf(watch, event));
      }
      if (rows.length < pageSize) break;
    }
    for (const id of watch.shown) {
      if (seen.has(id)) continue;
      await this.#ready();
      this.#remove(watch, id);
    }
  }

  #idOf({ source }: Watch, { namespace, name }: RowEvent): string {
    return source.idOf(namespace, name);
  }

  /** Whether it is to be seen. */
  async #tell(watch: Watch, event: RowEvent): Promise<boolean> {
    const id = this.#idOf(watch, event);
    const frame = this.#sees(watch, event) ? await this.#frameOf(watch, event, id) : undefined;
    // Secrets are asked for: his rights may have changed meanwhile.
    if (!frame || this.#closed || !this.#sees(watch, event)) {
      this.#remove(watch, id);
      return false;
    }
    watch.shown.add(id);
    this.#options.sink.write(frame);
    return true;
  }

  #sees({ feed }: Watch, event: RowEvent): boolean {
    if (event.type === 'remove' || (this.#namespaces && !this.#namespaces.has(event.namespace))) return false;
    return feed.sees(event);
  }

  #remove({ source, shown }: Watch, id: string): void {
    if (!shown.delete(id) || this.#closed) return;
    const { id: type, baseType } = source;
    this.#options.sink.write(textFrame({ name: 'resource.remove', data: { id, type, baseType } }));
  }

  async #frameOf(watch: Watch, event: RowEvent, id: string): Promise<Buffer | undefined> {
    const { source, wanted } = watch;
    if (source.read) {
      const object = await source.read(this.#view, id).catch(ifNotHis);
      const data = object && source.show(this.#view, object);
      return data && this.#passes(wanted, data) ? changeFrame(this.#linked(source, data)) : undefined;
    }
    const made = madeOf(event, `${this.#view.base} ${this.#view.versionPath} ${source.served.declaration.id}`, () => {
      const data = source.show(this.#view, JSON.parse(`{${event.text}}`) as LiveObject);
      return data && { data, frames: new Map() };
    });
    if (!made || !this.#passes(wanted, made.data)) return undefined;
    const { data, frames } = made;
    const offers = changes.filter(change => mayChange(this.#offering, source.served, change, data as never)).join();
    let frame = frames.get(offers);
    if (!frame) frames.set(offers, (frame = changeFrame(this.#linked(source, data))));
    return frame;
  }

  get #offering(): ApiView {
    return { ...this.#view, inCluster: this.#rights };
  }

  #linked = (source: LiveSource, data: V3Data) => withLinks(this.#offering, source.served, { data });

  /** Differs when he may see other things than before, or do something else with all of them in one place. */
  #reachOf(feed: Feed, { group, resource, namespaced }: SteveType): string {
    const places = [undefined, ...(namespaced ? (this.#namespaces ?? []) : [])];
    const may = places.flatMap(namespace =>
      changes.map(verb => this.#rights?.may(verb, { group, resource, namespaced }, { namespace }) ?? true),
    );
    return `${feed.reachKey()} ${may}`;
  }

  #passes = ({ filters, fields }: Wanted, data: V3Data): boolean => passes(data, filters, fields);

  /** Resolves when the client takes more, or is gone. */
  async #ready(): Promise<void> {
    while (!this.#closed && !this.#options.sink.isReady()) {
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
  }

  #away(): void {
    this.#drop(1013, 'the cluster is away: subscribe again');
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    if (!(error instanceof StatusError)) {
      this.#options.log.error({ err: error }, 'a subscription ended in a way it should not');
      this.#drop(1011, 'internal error');
    } else this.#drop(hasReason(error, 'Forbidden') ? 1008 : 1013, messageOf(error).slice(0, 100));
  }

  #drop(code: number, reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.sink.close(code, reason);
  }
}

function ifNotHis(error: unknown): undefined {
  if (hasReason(error, 'Forbidden', 'NotFound')) return undefined;
  throw error;
}

interface Made {
  readonly data: V3Data;
  /** By what is offered to be done with it. */
  readonly frames: Map<string, Buffer>;
}

const made = new WeakMap<RowEvent, Map<string, Made | undefined>>();

/** What the event shows to all who came the same way; what of it each may see has been decided. */
function madeOf(event: RowEvent, key: string, make: () => Made | undefined): Made | undefined {
  let known = made.get(event);
  if (!known) made.set(event, (known = new Map()));
  if (!known.has(key)) known.set(key, make());
  return known.get(key);
}
