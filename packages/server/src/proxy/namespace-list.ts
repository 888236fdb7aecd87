/**
 * The one answer that the proxy makes itself: the list of namespaces for who may not list them in the cluster, holding those of his
 * projects. Everything else goes through unread, a watch of namespaces too, which the cluster refuses him.
 */
import { type KubeClient, reviewOwnAccess } from '@drover/kube';
import type { Access } from '../auth/access.ts';
import type { Identity } from '../auth/impersonation.ts';
import { projectKey } from '../controllers/cluster-projects.ts';
import type { Caller, Exchange } from '../http/exchange.ts';

const path = '/api/v1/namespaces';
/** What is asked of the cluster as it was asked here; pages are put together, since each would be filtered anew. */
const passedOn = ['labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch'];
const pageSize = 500;

interface Listed {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly Item[];
  readonly rows?: readonly { readonly object?: Item }[];
}

interface Item {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
}

export interface NamespaceListDeps {
  readonly access: Pick<Access, 'may' | 'grantsOf'>;
  /** The cluster as the server itself sees it. */
  readonly client: (clusterId: string) => KubeClient;
}

export interface AskedFor {
  readonly clusterId: string;
  readonly caller: Caller;
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

/** Whether the request may be such a list at all; cheap, since every request is asked. */
export function isNamespaceList({ request, query }: Exchange, rest: string): boolean {
  if (rest !== path || request.method !== 'GET') return false;
  const watch = query.get('watch');
  return watch === null || watch === 'false' || watch === '0';
}

/**
 * The list as JSON for who is in projects of the cluster and may not list its namespaces; undefined for everybody else, and for who
 * acts as somebody else: the cluster answers those.
 */
export async function filteredNamespaces(
  { access, client }: NamespaceListDeps,
  exchange: Exchange,
  { clusterId, caller, identity, signal }: AskedFor,
): Promise<string | undefined> {
  const accept = acceptable(String(exchange.request.headers.accept ?? '*/*'));
  if (accept === undefined || identity.userId !== caller.userId || !isInProject(access, caller, clusterId))
    return undefined;
  const cluster = client(clusterId);
  const { userId: user, groups, extra } = identity;
  // Its own bindings count as well.
  const list = { verb: 'list', resource: 'namespaces' };
  if ((await reviewOwnAccess(cluster.as({ user, groups, extra }), list, { signal })).allowed) return undefined;
  const isHis = (item: Item | undefined): boolean => {
    const [of, name = ''] = item?.metadata?.annotations?.[projectKey]?.split(':') ?? [];
    return of === clusterId && access.may(caller, 'get', 'project', { namespace: clusterId, name });
  };
  const bare = exchange.query.get('includeObject') === 'None';
  const asked = Object.fromEntries(passedOn.map(name => [name, exchange.query.get(name) ?? undefined]));
  let whole: Listed | undefined;
  let next: string | undefined;
  do {
    const from: Record<string, string | undefined> = next
      ? { ...asked, resourceVersion: undefined, resourceVersionMatch: undefined }
      : asked;
    const page: Listed = await cluster.request<Listed>('GET', path, {
      query: { ...from, includeObject: 'Metadata', limit: pageSize, continue: next },
      headers: { accept },
      signal,
    });
    next = page.metadata?.continue || undefined;
    const {
      continue: _,
      remainingItemCount: __,
      ...metadata
    } = (whole?.metadata ?? page.metadata ?? {}) as Record<string, unknown>;
    whole = {
      ...(whole ?? page),
      metadata,
      ...(page.items ? { items: [...(whole?.items ?? []), ...page.items.filter(isHis)] } : {}),
      ...(page.rows ? { rows: [...(whole?.rows ?? []), ...page.rows.filter(row => isHis(row.object))] } : {}),
    };
  } while (next);
  if (bare && whole.rows) whole = { ...whole, rows: whole.rows.map(({ object: _, ...row }) => row) };
  return JSON.stringify(whole);
}

/** The first form that can be filtered; undefined where none is wanted. */
function acceptable(header: string): string | undefined {
  const forms = header.split(',').map(form => form.trim());
  return (
    forms.find(form => /^application\/json\s*(?:;|$)/i.test(form)) ??
    (forms.some(form => /^(?:\*\/\*|application\/\*)/.test(form)) ? 'application/json' : undefined)
  );
}

function isInProject(access: NamespaceListDeps['access'], caller: Caller, clusterId: string): boolean {
  for (const projectId of access.grantsOf(caller).projects.keys())
    if (projectId.startsWith(`${clusterId}:`)) return true;
  return false;
}
