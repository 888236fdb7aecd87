/** Asks a cluster what whoever a client asks as may do there: its own rules, bindings and webhooks decide, and nobody else's. */
import type { KubeClient } from './client.ts';
import { resourcePath, selfSubjectAccessReviews } from './resource-ref.ts';

export interface ResourceAttributes {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  /** The cluster's own words. */
  readonly reason?: string;
}

/** A SelfSubjectAccessReview. */
export async function reviewOwnAccess(
  client: KubeClient,
  resourceAttributes: ResourceAttributes,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<AccessAnswer> {
  const { kind, apiVersion } = selfSubjectAccessReviews;
  const { status } = await client.request<{
    readonly status?: { readonly allowed?: boolean; readonly reason?: string };
  }>('POST', resourcePath(selfSubjectAccessReviews), {
    body: { apiVersion, kind, spec: { resourceAttributes } },
    signal,
  });
  return { allowed: status?.allowed === true, reason: status?.reason || undefined };
}
