/**
 * `/v1-history?clusterId=…`: a cluster's past, newest first, as far as the caller may read now what it is about, which the cluster itself
 * is asked: events by the right to list events in their namespace, changes by the right to list what changed.
 */
import { invalid, methodNotAllowed, notFound } from '@drover/base';
import { type KubeClient, reviewOwnAccess } from '@drover/kube';
import type { Store } from '@drover/store';
import type { ApiDeps } from '../api/behaviour.ts';
import { clientFor } from '../clusters/client-for.ts';
import type { Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import type { HistoryEntry } from './entry.ts';
import { readIndex, readSegment } from './segments.ts';

const prefix = '/v1-history';
const mostEntries = 200;
/** More rights than that are not asked for one by one; what they are about is not shown. */
const mostAsked = 100;

export function historyRoute(deps: ApiDeps, store: Store): Route {
  return {
    prefix,
    signIn: 'user',
    errors: 'norman',
    async handle({ request, response, path, query }, caller) {
      if (path !== prefix) throw notFound('path', path.slice(0, 200));
      if (request.method !== 'GET') throw methodNotAllowed(request.method ?? '', 'the past');
      const wish = readWish(query);
      await using client = clientFor(deps, caller!, wish.clusterId);
      const rights = new Rights(client);
      const found = await select(store, wish, entry => rights.sees(entry));
      sendJson(response, 200, { type: 'history', ...found }, noStore);
    },
  };
}

interface Wish {
  readonly clusterId: string;
  readonly limit: number;
  /** What is older than this one, by time and id. */
  readonly before?: string;
  readonly sinceMs: number;
  readonly fits: (entry: HistoryEntry) => boolean;
}

const kinds = ['event', 'warning', 'change'] as const;

/** Throws Invalid naming what was asked wrongly. */
export function readWish(query: URLSearchParams): Wish {
  const limit = Number(query.get('limit') ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostEntries)
    throw invalid('limit', `must be a whole number from 1 to ${mostEntries}`);
  const of = query.get('of') ?? '';
  if (of && !(kinds as readonly string[]).includes(of)) throw invalid('of', `must be one of ${kinds.join(', ')}`);
  const since = query.get('since');
  const sinceMs = since ? Date.parse(since) : 0;
  if (Number.isNaN(sinceMs)) throw invalid('since', 'must be a time such as 2026-01-01T10:00:00Z');
  const [kind, name, namespace, text] = ['kind', 'name', 'namespace', 'text'].map(each => query.get(each) ?? '');
  const words = text!.toLowerCase();
  const before = query.get('before');
  return {
    clusterId: query.get('clusterId') ?? '',
    limit,
    ...(before ? { before } : {}),
    sinceMs,
    fits: entry =>
      (of === '' || (of === 'warning' ? entry.warning === true : entry.type === of)) &&
      (!kind || entry.kind === kind) &&
      (!name || entry.name === name || isOwnedName(entry, name!, kind!)) &&
      (!namespace || entry.namespace === namespace) &&
      (words === '' || [entry.name, entry.reason, entry.message].some(each => each?.toLowerCase().includes(words))),
  };
}

/** Only where no kind is asked for, what is made out of the object is meant too: its pods are named for it. */
function isOwnedName({ name }: HistoryEntry, owner: string, kind: string): boolean {
  return kind === '' && name.startsWith(`${owner}-`);
}

const orderOf = ({ at, id }: HistoryEntry): string => `${at} ${id}`;

/** The newest that fit and may be seen; `next` goes on behind the last. */
export async function select(store: Store, wish: Wish, sees: (entry: HistoryEntry) => Promise<boolean>) {
  const { clusterId, before, sinceMs, limit } = wish;
  const told = new Set<string>();
  const data: HistoryEntry[] = [];
  const segments = [...(await readIndex(store, clusterId))].reverse();
  for (const { from, to } of segments) {
    if (to < sinceMs) continue;
    // Times within a segment may be a little out of order, and never so between what is far apart.
    const entries = [...(await readSegment(store, clusterId, from))].sort((a, b) => (orderOf(a) < orderOf(b) ? 1 : -1));
    for (const entry of entries) {
      if (told.has(entry.id)) continue;
      told.add(entry.id);
      if (before !== undefined && orderOf(entry) >= before) continue;
      if (Date.parse(entry.at) < sinceMs || !wish.fits(entry)) continue;
      if (entry.type !== 'gap' && !(await sees(entry))) continue;
      data.push(entry);
      if (data.length >= limit) return { data, next: orderOf(entry) };
    }
  }
  return { data, next: null };
}

/** What the caller may list in the cluster, each asked once. */
class Rights {
  readonly #client: KubeClient;
  readonly #asked = new Map<string, Promise<boolean>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async sees({ group, resource, namespace }: HistoryEntry): Promise<boolean> {
    if (await this.#may(group, resource, '')) return true;
    return namespace !== '' && (await this.#may(group, resource, namespace));
  }

  #may(group: string, resource: string, namespace: string): Promise<boolean> {
    const key = `${group}/${resource}/${namespace}`;
    const known = this.#asked.get(key);
    if (known) return known;
    if (this.#asked.size >= mostAsked) return Promise.resolve(false);
    const wanted = { verb: 'list', group, resource, ...(namespace ? { namespace } : {}) };
    const answer = reviewOwnAccess(this.#client, wanted).then(({ allowed }) => allowed);
    this.#asked.set(key, answer);
    return answer;
  }
}
