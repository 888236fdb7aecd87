/**
 * Subscription: what one caller may see of some types, sent as it is and then as it changes. Surprise: it keeps keys, not
 * events: a client that reads slowly gets each resource as it is by then, and holds up nobody.
 */
import { type SchemaFields, schemaFields, type TypedResource, type TypeId, type V3Data } from '@drover/api';
import { anySignal, isNotFound, keyOf } from '@drover/base';
import type { ApiView, ServedType } from './behaviour.ts';
import { type Filter, parseFilters, passes } from './collection.ts';
import { isVisible } from './crud.ts';
import { contextFilter } from './schemas.ts';
import { showResource, withLinks } from './show.ts';

type Any = TypedResource<TypeId>;

/** One text to the client; resolves when the next may be sent. */
export type Send = (name: 'resource.change' | 'resource.remove' | 'ping', data: V3Data) => Promise<void>;

export interface SubscriptionOptions {
  readonly types: readonly ServedType[];
  readonly query: URLSearchParams;
  readonly send: Send;
  readonly signal: AbortSignal;
  readonly pingEveryMs?: number;
  /** Changes of who may do what are gathered for so long before everything is looked at again. */
  readonly recheckAfterMs?: number;
}

interface Subscribed {
  readonly type: ServedType;
  readonly fields: SchemaFields;
  readonly filters: readonly Filter[];
  /** The ids of what the client has been shown, by key, so that it is told when it may see it no more. */
  readonly shown: Map<string, string>;
}

/** Looked at for a change of the resource, or only because the caller may see more or less by now. */
type Reason = 'changed' | 'rights';

const rightsTypes = [
  'clusterRoleTemplateBinding',
  'projectRoleTemplateBinding',
  'globalRoleBinding',
  'globalRole',
  'roleTemplate',
] as const;

/** Sends until the signal aborts or `send` throws. */
export async function runSubscription(view: ApiView, options: SubscriptionOptions): Promise<void> {
  const { types, query, send, pingEveryMs = 5000, recheckAfterMs = 2000 } = options;
  const own = new AbortController();
  const signal = anySignal(options.signal, own.signal);
  const pending = new Map<string, { readonly of: Subscribed; readonly key: string; readonly reason: Reason }>();
  let wake = () => {};
  const note = (of: Subscribed, key: string, reason: Reason) => {
    const id = `${of.type.declaration.id} ${key}`;
    if (reason === 'changed' || !pending.has(id)) pending.set(id, { of, key, reason });
    wake();
  };
  const { caches } = view.deps;
  const all = types.map(type => subscribed(view, type, query));
  let recheck: NodeJS.Timeout | undefined;
  const recheckSoon = () => {
    recheck ??= setTimeout(() => {
      recheck = undefined;
      for (const of of all)
        for (const resource of caches[of.type.stored!].all()) note(of, keyOf(resource.metadata), 'rights');
    }, recheckAfterMs);
  };
  let pingDue = false;
  const ping = setInterval(() => {
    pingDue = true;
    wake();
  }, pingEveryMs);
  options.signal.addEventListener('abort', () => wake(), { once: true });
  try {
    for (const of of all) {
      caches[of.type.stored!].subscribe(({ key }: { readonly key: string }) => note(of, key, 'changed'), signal);
    }
    for (const id of rightsTypes) caches[id].subscribe(recheckSoon, signal);
    clearTimeout(recheck);
    recheck = undefined;
    while (!signal.aborted) {
      const [first] = pending;
      if (first) {
        pending.delete(first[0]);
        await tell(view, first[1], send);
      } else if (pingDue) {
        pingDue = false;
        await send('ping', {});
      } else {
        await new Promise<void>(resolve => (wake = resolve));
      }
    }
  } finally {
    clearInterval(ping);
    clearTimeout(recheck);
    own.abort();
  }
}

function subscribed(view: ApiView, type: ServedType, query: URLSearchParams): Subscribed {
  const fields = schemaFields(type.declaration);
  return { type, fields, filters: [...parseFilters(query, fields), ...contextFilter(view, type)], shown: new Map() };
}

async function tell(
  view: ApiView,
  { of, key, reason }: { of: Subscribed; key: string; reason: Reason },
  send: Send,
): Promise<void> {
  const data = await lookAt(view, of, key);
  if (data) {
    if (reason === 'rights' && of.shown.has(key)) return;
    of.shown.set(key, String(data['id']));
    return send('resource.change', data);
  }
  const shown = of.shown.get(key);
  if (shown === undefined) return;
  of.shown.delete(key);
  const { id } = of.type.declaration;
  // Nothing but the name: the caller may have lost the right to see the rest.
  await send('resource.remove', { id: shown, type: id, baseType: id });
}

/** The resource as the caller may see it now; undefined where he may not, or it is gone or filtered out. */
async function lookAt(view: ApiView, of: Subscribed, key: string): Promise<V3Data | undefined> {
  const { type, filters, fields } = of;
  const resource = view.deps.caches[type.stored!].byKey(key) as Any | undefined;
  if (!resource) return undefined;
  let data: V3Data;
  if (type.behaviour.source) {
    if (type.behaviour.visible?.(view, resource) === false) return undefined;
    try {
      data = withLinks(view, type, { data: await type.behaviour.source.get(view, resource.metadata.name) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  } else {
    if (!isVisible(view, type, resource)) return undefined;
    data = showResource(view, type, resource);
  }
  return passes(data, filters, fields) ? data : undefined;
}
