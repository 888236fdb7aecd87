/**
 * Get and list. A list is a picture of one revision over all its pages, of what the caller may see: like v3's, it leaves
 * out the rest and is refused to nobody.
 */
import { badRequest, expired, notFound, StatusError } from '@drover/base';
import type { Call } from './call.ts';
import { type AnyResource, managementApiVersion } from './kube-type.ts';
import { parseSelectors } from './selectors.ts';
import type { Json } from './shape.ts';
import { bareSettings, findVisible, maySee, type Shown, showObject } from './show.ts';
import { inForm, partialOf, tableOf } from './table.ts';

/** How many pages of the store one request reads at most: where nearly nothing may be seen, the rest comes with `continue`. */
const pagesAtOnce = 40;
const smallestPage = 1;

export async function getObject(call: Call): Promise<Json> {
  const { request, type, name = '', namespace } = call;
  const found = await findVisible(request, type, { name, namespace });
  if (!found) throw notFound(type.declaration.resource, name);
  return formed(call, showObject(request, type, found));
}

/** The object in the form that was asked for. */
export function formed({ type, form, query }: Call, object: Shown): Json {
  return inForm(object, form, { type, include: query.get('includeObject') ?? 'Metadata' });
}

export interface Listed {
  readonly objects: readonly AnyResource[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

/** What is there and may be seen; throws Expired for a `continue` whose revision is no longer kept. */
export async function listObjects(call: Call): Promise<Listed> {
  const { request, type, namespace, query, name } = call;
  const matches = parseSelectors(query, type, name);
  const limit = wholeNumber(query, 'limit');
  const objects: AnyResource[] = [];
  let next = query.get('continue') || undefined;
  let resourceVersion = '';
  for (let pages = 0; ; pages++) {
    const wanted = limit ? Math.max(limit - objects.length, smallestPage) : 500;
    const page = await request.deps.resources
      .list(type.id, { namespace, limit: wanted, continue: next })
      .catch(error => {
        throw explained(error, next);
      });
    resourceVersion = page.resourceVersion;
    for (const one of page.items as readonly AnyResource[])
      if (matches(one) && maySee(request, type, one)) objects.push(one);
    next = page.continue;
    if (!next || (limit && (objects.length >= limit || pages >= pagesAtOnce))) break;
  }
  requireVersion(query, resourceVersion);
  if (type.id === 'setting' && !next)
    objects.push(...bareSettings(request).filter(one => matches(one) && maySee(request, type, one)));
  return { objects, resourceVersion, ...(next ? { continue: next } : {}) };
}

export async function answerList(call: Call): Promise<Json> {
  const { request, type, form, query } = call;
  const listed = await listObjects(call);
  const shown = listed.objects.map(one => showObject(request, type, one));
  const { resourceVersion } = listed;
  const metadata = { resourceVersion, ...(listed.continue ? { continue: listed.continue } : {}) };
  if (form === 'Table') return tableOf(shown, { type, include: query.get('includeObject') ?? 'Metadata', metadata });
  if (form === 'PartialObjectMetadata')
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: shown.map(partialOf),
    };
  return { kind: `${type.declaration.kind}List`, apiVersion: managementApiVersion, metadata, items: shown };
}

export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a whole number`);
  return Number(text) || undefined;
}

/** Only the present can be listed; which revision of the past that would be is told from the one that is asked for. */
function requireVersion(query: URLSearchParams, now: string): void {
  const asked = query.get('resourceVersion') ?? '';
  if (asked === '' || asked === '0' || query.get('continue')) return;
  if (!/^\d{1,19}$/.test(asked)) throw badRequest(`resourceVersion: Invalid value: "${asked}"`);
  if (BigInt(asked) > BigInt(now))
    throw new StatusError(504, 'Timeout', `Too large resource version: ${asked}, current: ${now}`, {
      details: { retryAfterSeconds: 1 },
    });
  if (query.get('resourceVersionMatch') === 'Exact' && asked !== now)
    throw expired('The resourceVersion for the provided list is too old.');
}

function explained(error: unknown, next: string | undefined): unknown {
  if (next === undefined || !(error instanceof StatusError) || error.reason === 'Expired') return error;
  return error.status === 422 || error.status === 400 ? badRequest('continue: not made by this server') : error;
}
