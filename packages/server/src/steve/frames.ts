/** Frames of `/v1/subscribe`: each is made once for all who are told the same. */
import { parseSelector, type Selector } from '@drover/base';
import type { Reach } from './cache/sql.ts';
import type { RowEvent } from './cache/worker-calls.ts';
import type { Rights } from './rbac.ts';

/** What a client asked to be told of, as it is repeated to him. */
export interface Wish {
  readonly resourceType: string;
  readonly namespace?: string;
  readonly id?: string;
  readonly selector?: string;
  readonly mode?: string;
  readonly debounceMs?: number;
}

const echoed = ['resourceType', 'namespace', 'id', 'selector', 'mode'] as const;

/** One watch of one client, whatever else it says: the same wish again is the same watch. */
export function keyOfWish(wish: Wish): string {
  return JSON.stringify([...echoed.map(name => wish[name] ?? ''), wish.debounceMs ?? 0]);
}

export function frame(
  name: string,
  wish: Wish | undefined,
  rest: { readonly revision?: string; readonly data?: object; readonly text?: string },
): Buffer {
  const head: Record<string, unknown> = { name };
  for (const field of echoed) if (wish?.[field]) head[field] = wish[field];
  if (rest.revision) head['revision'] = rest.revision;
  const data = rest.text ?? JSON.stringify(rest.data ?? { type: 'subscribe', links: {} });
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"data":${data}}`);
}

const made = new WeakMap<RowEvent, Map<Rights, Map<string, Buffer>>>();

/** The event's frame for all of these rights who asked with the same wish. */
export function frameOf(
  event: RowEvent,
  { rights, key }: { readonly rights: Rights; readonly key: string },
  make: () => Buffer,
): Buffer {
  let byRights = made.get(event);
  if (!byRights) made.set(event, (byRights = new Map()));
  let byWish = byRights.get(rights);
  if (!byWish) byRights.set(rights, (byWish = new Map()));
  let bytes = byWish.get(key);
  if (!bytes) byWish.set(key, (bytes = make()));
  return bytes;
}

const matchers = new WeakMap<object, (event: RowEvent) => boolean>();

/** Whether the event is about something that may be seen. */
export function isSeen(reach: Reach, event: RowEvent): boolean {
  if (reach === 'all') return true;
  let matches = matchers.get(reach);
  if (!matches) {
    const [namespaces, names, ids] = [new Set(reach.namespaces), new Set(reach.names), new Set(reach.ids)];
    matches = ({ namespace, name, id }) =>
      (namespace !== '' && namespaces.has(namespace)) || names.has(name) || ids.has(id);
    matchers.set(reach, matches);
  }
  return matches(event);
}

const labels = new WeakMap<RowEvent, Readonly<Record<string, string>>>();

function labelsOf(event: RowEvent): Readonly<Record<string, string>> {
  let found = labels.get(event);
  if (!found) {
    const { metadata } = JSON.parse(event.text === '' ? '{}' : `{${event.text}}`) as {
      metadata?: { labels?: Record<string, string> };
    };
    labels.set(event, (found = metadata?.labels ?? {}));
  }
  return found;
}

/** Whether the event is one that was wished for. Throws BadRequest on a selector that can't be read. */
export function wishFilter({ namespace, id, selector }: Wish): (event: RowEvent) => boolean {
  const selects: Selector | undefined = selector ? parseSelector(selector) : undefined;
  // Some send the whole id, though the name is meant.
  const name = id?.slice(id.indexOf('/') + 1);
  const place = namespace || (id?.includes('/') ? id.slice(0, id.indexOf('/')) : undefined);
  return event =>
    (place === undefined || event.namespace === place) &&
    (!name || event.name === name) &&
    (!selects || (event.type === 'remove' && event.text === '') || selects(labelsOf(event)));
}
