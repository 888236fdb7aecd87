/**
 * SelfSubjectAccessReview: `kubectl auth can-i`. For the management group the server's own rules answer; whatever else is
 * asked is the local cluster's to say.
 */
import { badRequest } from '@drover/base';
import { resourcePath, selfSubjectAccessReviews } from '@drover/kube';
import type { ApiView } from '../api/behaviour.ts';
import { findKubeType, type KubeType, managementGroup } from './kube-type.ts';
import { postLocal } from './local.ts';
import { isObject } from './shape.ts';
import { maySee } from './show.ts';

export const reviewPath = resourcePath(selfSubjectAccessReviews);

export interface SentReview {
  readonly body: Uint8Array;
  readonly contentType: string;
}

interface Asked {
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** `sent` is what the client sent as it was, for the local cluster. */
export async function reviewAccess(view: ApiView, body: unknown, sent: SentReview): Promise<unknown> {
  if (!isObject(body) || !isObject(body['spec'])) throw badRequest('must be a SelfSubjectAccessReview with a spec');
  const asked = body['spec']['resourceAttributes'];
  if (isObject(asked) && asked['group'] === managementGroup) {
    const word = (name: string) => (typeof asked[name] === 'string' && asked[name] !== '' ? asked[name] : undefined);
    const allowed = isAllowed(view, {
      verb: word('verb') ?? '',
      resource: word('resource') ?? '',
      subresource: word('subresource') ?? '',
      name: word('name'),
      namespace: word('namespace'),
    });
    return { ...body, status: { allowed, ...(allowed ? {} : { reason: "the server's roles do not give it" }) } };
  }
  const told = await postLocal(view, reviewPath, sent);
  return told ?? { ...body, status: { allowed: false, reason: 'there is no cluster here that could allow it' } };
}

function isAllowed(view: ApiView, asked: Asked): boolean {
  const { verb, resource, subresource, name } = asked;
  const { access } = view.deps.auth;
  if (access.isAdmin(view.caller) && (verb === '*' || resource === '*')) return true;
  const type = subresource === '' ? findKubeType(resource) : undefined;
  if (!type) return access.allows(view.caller, verb, { group: managementGroup, resource, name });
  // kubectl names the namespace it is in, whatever is asked about.
  const namespace = type.namespaced ? asked.namespace : undefined;
  const right = verb === 'patch' ? 'update' : verb === 'deletecollection' ? 'delete' : verb;
  if (right === 'get' || right === 'list' || right === 'watch')
    return access.may(view.caller, right, type.id, { namespace, name }) || seesAny(view, type, { namespace, name });
  if (['create', 'update', 'delete'].includes(right) && !type.verbs.includes(verb)) return false;
  return access.may(view.caller, right, type.id, { namespace, name });
}

/** Lists show what may be seen and are refused to nobody: whoever sees one of them may list. */
function seesAny(
  view: ApiView,
  type: KubeType,
  place: { readonly name?: string; readonly namespace?: string },
): boolean {
  const { caches } = view.deps;
  for (const one of caches[type.id].all()) {
    const { name, namespace } = one.metadata;
    if (place.name !== undefined && place.name !== name) continue;
    if (place.namespace !== undefined && place.namespace !== namespace) continue;
    if (maySee(view, type, one)) return true;
  }
  return false;
}
