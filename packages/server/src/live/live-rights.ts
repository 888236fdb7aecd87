/**
 * Who is offered to change what is in a cluster, by that cluster's own roles as the server knows them. It is an offer only: each request goes
 * to the cluster as the caller, and is decided there. Where nobody here can tell, everything is offered.
 */
import type { V3Data } from '@drover/api';
import { sleep } from '@drover/base';
import type { ResourceRef } from '@drover/kube';
import type { ApiView } from '../api/behaviour.ts';
import type { Rights } from '../steve/rbac.ts';
import type { Realm } from '../steve/realm.ts';

/** How long an answer waits for what is known of rights; where it is not by then, the answer goes without, and others do not wait. */
const patienceMs = 1000;
const silentMs = 30_000;
/** When clusters were last waited for in vain. */
const silentSince = new Map<string, number>();

/** Undefined where they can't be told from the cluster's roles, or not soon. */
export async function rightsIn(clusterId: string, realm: () => Pick<Realm, 'rights'>): Promise<Rights | undefined> {
  const over = new AbortController();
  const isSilent = performance.now() - (silentSince.get(clusterId) ?? Number.NEGATIVE_INFINITY) < silentMs;
  const late = sleep(isSilent ? 0 : patienceMs, over.signal).then(
    () => {
      if (!isSilent) silentSince.set(clusterId, performance.now());
    },
    () => undefined,
  );
  try {
    const rights = await Promise.race([realm().rights(), late]);
    if (rights) silentSince.delete(clusterId);
    return rights ?? undefined;
  } catch {
    // What keeps it from being known is told by the request itself.
    return undefined;
  } finally {
    over.abort(new Error('no more to be waited for'));
  }
}

/** Whether he is offered to do this to the object that the data shows. */
export function isOffered({ inCluster }: ApiView, ref: ResourceRef, verb: string, data: V3Data): boolean {
  if (!inCluster) return true;
  const { apiVersion, resource, namespaced = false } = ref;
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
  const name = String(data['name'] ?? '');
  const namespace = namespaced ? String(data['namespaceId'] ?? '') : undefined;
  const of = { group, resource, namespaced };
  return (
    inAll(inCluster, `${verb} ${group} ${resource} ${namespace ?? ''}`, () => inCluster.may(verb, of, { namespace })) ||
    inCluster.may(verb, of, { namespace, name })
  );
}

const most = 2000;
/** What holds whatever the name, by the rights, which are others when the cluster's roles change. */
const wholes = new WeakMap<object, Map<string, boolean>>();

function inAll(rights: object, key: string, ask: () => boolean): boolean {
  let known = wholes.get(rights);
  if (!known || known.size >= most) wholes.set(rights, (known = new Map()));
  let may = known.get(key);
  if (may === undefined) known.set(key, (may = ask()));
  return may;
}
