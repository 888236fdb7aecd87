/**
 * Records a cluster's past while this replica owns it: its events, and what changes in the objects that people change. A cluster that
 * tells more than fits is told of as a gap; nothing waits for this.
 */
import { anySignal, type Log, messageOf, type Resource, sleep, withSignal } from '@drover/base';
import {
  configMaps,
  daemonSets,
  deployments,
  events as eventsRef,
  KubeClient,
  nodes,
  type ResourceRef,
  services,
  statefulSets,
  WatchCache,
} from '@drover/kube';
import type { Compare, Store } from '@drover/store';
import type { Upstreams } from '../clusters/upstream.ts';
import { runRounds } from '../controllers/rounds.ts';
import { diffLeaves, eventEntry, type HistoryEntry, type KubeEvent, type Leaves, leavesOf } from './entry.ts';
import { HistoryWriter } from './segments.ts';

export interface HistoryDeps {
  readonly store: Store;
  readonly upstreams: Upstreams;
  readonly claim: (clusterId: string) => readonly Compare[];
  readonly setting: (name: string) => string;
  /** Waits for a turn: after a restart all clusters come at once, and none of their first lists is in a hurry. */
  readonly turn: (signal: AbortSignal) => Promise<AsyncDisposable>;
  readonly log: Log;
  /** How long entries are gathered before they are written. */
  readonly gatherMs?: number;
}

/** What people change; pods and the like come and go by themselves, and events tell of them. */
export const followed: readonly ResourceRef[] = [deployments, statefulSets, daemonSets, services, configMaps, nodes];

const mostWaiting = 1000;
/** Of what is kept to compare with, of one kind in one cluster. */
const mostBytes = 8 << 20;
const gatherMs = 3000;
const offLookMs = 60_000;
const tooLargeForMs = 24 * 3_600_000;
/** Nobody's turn is longer, whatever a cluster does. */
const longestTurnMs = 30_000;
/** Written by the cluster itself again and again, and told of nobody's deed. */
const isNoise = ({ kind, metadata }: Resource): boolean =>
  kind === 'ConfigMap' && (metadata.name === 'kube-root-ca.crt' || metadata.namespace === 'kube-system');

/** Runs until the signal aborts. */
export function runHistory(deps: HistoryDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'the past of a cluster can not be kept';
  return runRounds({ ...deps, clusterId, signal, failure, round: ends => follow(deps, clusterId, ends) });
}

async function follow(deps: HistoryDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const isOff = () => deps.setting('cluster-history') === 'off';
  while (isOff()) await sleep(offLookMs, signal);
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const writer = await HistoryWriter.open(deps.store, clusterId, { claim: () => deps.claim(clusterId) });
  const waiting = new Waiting();
  const since = writer.lastMs;
  const events = new WatchCache<Resource>(client, eventsRef, {
    transform: event => {
      const entry = eventEntry(event as KubeEvent, Date.now());
      if (Date.parse(entry.at) >= since && !writer.has(entry)) waiting.add(entry);
      // It is told of once, and not needed again.
      return undefined;
    },
  });
  const changes = followed.map(ref => openChanges(client, ref, waiting));
  const turn = await deps.turn(signal);
  const running = [
    events.run(signal),
    ...changes.map(({ cache, ref }) =>
      cache.run(signal).catch(async error => {
        // Of a kind of which there is too much to compare no changes are told; of the rest they are.
        const reason = messageOf(error);
        deps.log.warn({ cluster: clusterId, kind: ref.kind, reason }, 'changes of a kind are not followed');
        await sleep(tooLargeForMs, signal);
      }),
    ),
  ];
  const failed = new AbortController();
  Promise.race(running).catch(error => failed.abort(error));
  const over = anySignal(signal, failed.signal);
  const listed = Promise.allSettled([events, ...changes.map(({ cache }) => cache)].map(one => one.synced(signal)));
  const tooLong = sleep(longestTurnMs, signal).catch(() => undefined);
  void Promise.race([listed, tooLong]).then(() => turn[Symbol.asyncDispose]());
  while (!signal.aborted && !isOff()) {
    await withSignal(waiting.some(), over);
    await sleep(deps.gatherMs ?? gatherMs, signal);
    const entries = waiting.take();
    await writer.add(entries, Date.now());
  }
}

/** What changes of one kind, from the first list on. */
function openChanges(client: KubeClient, ref: ResourceRef, waiting: Waiting) {
  const cache = new WatchCache<Leaves>(client, ref, {
    maxBytes: mostBytes,
    transform: object => leavesOf({ ...object, apiVersion: ref.apiVersion, kind: ref.kind ?? '' }),
  });
  const about = ({ metadata }: Resource) => ({
    type: 'change' as const,
    kind: ref.kind ?? '',
    resource: ref.resource,
    group: ref.apiVersion.includes('/') ? ref.apiVersion.split('/')[0]! : '',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
  });
  cache.subscribe(change => {
    const object = change.type === 'deleted' ? change.old : change.object;
    // What was there before the first look is nobody's change.
    if (!cache.isSynced || isNoise(object)) return;
    const { uid, resourceVersion } = object.metadata;
    const told = { ...about(object), id: `${uid}/${resourceVersion}/${change.type}`, at: new Date().toISOString() };
    if (change.type === 'added') waiting.add({ ...told, what: 'made' });
    if (change.type === 'deleted') waiting.add({ ...told, what: 'deleted' });
    if (change.type !== 'modified') return;
    const fields = diffLeaves(change.old, object);
    if (fields.length > 0) waiting.add({ ...told, what: 'changed', fields });
  });
  return { cache, ref };
}

/** Entries until they are written; an event that comes again replaces itself. */
class Waiting {
  #entries = new Map<string, HistoryEntry>();
  #lost = 0;
  #wake = Promise.withResolvers<void>();

  add(entry: HistoryEntry): void {
    if (this.#entries.size >= mostWaiting && !this.#entries.has(entry.id)) this.#lost++;
    else this.#entries.set(entry.id, entry);
    this.#wake.resolve();
  }

  some(): Promise<void> {
    return this.#wake.promise;
  }

  take(): HistoryEntry[] {
    const taken = [...this.#entries.values()];
    if (this.#lost > 0) {
      const at = new Date().toISOString();
      const about = { kind: '', resource: 'events', group: '', namespace: '', name: '' };
      taken.push({ ...about, id: `gap/${at}`, at, type: 'gap', count: this.#lost });
    }
    this.#entries = new Map();
    this.#lost = 0;
    this.#wake = Promise.withResolvers<void>();
    return taken;
  }
}
