/**
 * Quotas of projects as v3 takes them: both of the project's and of a namespace's default or neither, for the same resources,
 * and never less than what its namespaces have been given already.
 */

import { type Project, types, type V3Data } from '@drover/api';
import { hasReason, invalid, isUnavailable, type Resource, StatusError } from '@drover/base';
import { namespaces } from '@drover/kube';
import { projectKey } from '../controllers/cluster-projects.ts';
import {
  addUp,
  amountsOf,
  completeQuota,
  nameAmounts,
  type QuotaAmounts,
  type QuotaLimit,
  quantitiesOf,
  readAnnotation,
  tooMuch,
} from '../controllers/quota-amounts.ts';
import { quotaKey } from '../controllers/quota-plan.ts';
import type { ApiRequest } from './behaviour.ts';
import { mergeStructs } from './merge.ts';

const own = 'resourceQuota';
const fallback = 'namespaceDefaultResourceQuota';
const container = 'containerDefaultResourceLimit';

interface Update {
  /** As it is; none where it is new. */
  readonly project?: Project;
  readonly replace?: boolean;
}

/** The input with what only the server writes put back; throws Invalid for quotas that can't be. */
export async function checkProjectQuota(request: ApiRequest, input: V3Data, update: Update = {}): Promise<V3Data> {
  const { project } = update;
  const quota = input[own] as { limit?: QuotaLimit } | null | undefined;
  const { usedLimit } = project?.spec?.resourceQuota ?? {};
  const kept: V3Data = quota
    ? { ...input, [own]: { ...('limit' in quota ? { limit: quota.limit } : {}), ...(usedLimit ? { usedLimit } : {}) } }
    : input;
  if (!update.replace && ![own, fallback, container].some(name => name in kept)) return kept;
  const next = settled(kept, update);
  requireQuantities(next[container] as QuotaLimit | undefined, container);
  const [limit, share] = [limitIn(next, own), limitIn(next, fallback)];
  requireQuantities(limit, own);
  requireQuantities(share, fallback);
  const [most, each] = [quantitiesOf(limit), quantitiesOf(share)];
  if (Object.keys(most).length === 0 && Object.keys(each).length === 0) return withoutEmpty(kept, next);
  requireSameNames(most, each);
  const [amounts, part] = [amountsOf(limit), amountsOf(share)];
  const over = tooMuch(part, amounts);
  if (over.length > 0)
    throw invalid(fallback, `exceeds the project's limit on: ${nameAmounts(over, part)}`, 'MaxLimitExceeded');
  const given = project ? await givenIn(request, project, share!) : {};
  const less = tooMuch(given, amounts);
  if (less.length > 0) {
    const text = `must not be less than what the project's namespaces have: ${nameAmounts(less, given)}`;
    throw invalid(own, text, 'MaxLimitExceeded');
  }
  return kept;
}

/** The three fields as they will be stored. */
function settled(input: V3Data, { project, replace = false }: Update): V3Data {
  if (!project) return input;
  const { resourceQuota, namespaceDefaultResourceQuota, containerDefaultResourceLimit } = types.project.spec!;
  const fields = { resourceQuota, namespaceDefaultResourceQuota, containerDefaultResourceLimit };
  const change = Object.fromEntries(Object.entries(input).filter(([name]) => name in fields));
  return mergeStructs((project.spec ?? {}) as V3Data, change, { fields, replace });
}

/** A quota without any amount is none: it is stored as nothing, so that nobody takes it for one of nothing. */
function withoutEmpty(input: V3Data, next: V3Data): V3Data {
  const gone = [own, fallback].filter(name => name in input && next[name]);
  return gone.length === 0 ? input : { ...input, ...Object.fromEntries(gone.map(name => [name, null])) };
}

const limitIn = (next: V3Data, field: string): QuotaLimit | undefined =>
  ((next[field] as { limit?: QuotaLimit } | null | undefined)?.limit ?? undefined) as QuotaLimit | undefined;

/** Throws for what is no quantity, or less than nothing; `field` is where it was said. */
export function requireQuantities(limit: QuotaLimit | null | undefined, field: string): void {
  let amounts: QuotaAmounts;
  try {
    amounts = amountsOf(limit);
  } catch (error) {
    if (error instanceof StatusError) throw invalid(field, error.message, 'InvalidFormat');
    throw error;
  }
  const below = Object.keys(amounts).filter(name => amounts[name]! < 0);
  if (below.length > 0)
    throw invalid(field, `must not be negative: ${nameAmounts(below, amounts)}`, 'MinLimitExceeded');
}

function requireSameNames(most: Readonly<Record<string, string>>, each: Readonly<Record<string, string>>): void {
  const missing = (from: object, of: object) => Object.keys(of).filter(name => !(name in from));
  const say = (field: string, other: string, names: readonly string[]) => {
    if (names.length > 0)
      throw invalid(field, `is required for what ${other} limits: ${names.join(', ')}`, 'MissingRequired');
  };
  say(fallback, own, missing(each, most));
  say(own, fallback, missing(most, each));
}

/** What the project's namespaces take of it, those without a quota of their own by the default. */
async function givenIn({ deps }: ApiRequest, project: Project, share: QuotaLimit): Promise<QuotaAmounts> {
  const { name, namespace: clusterId = '' } = project.metadata;
  try {
    const all = await namespacesIn(deps.clients.get(clusterId), `${clusterId}:${name}`);
    return addUp(all.map(one => amountsOf(shareOf(one, share))));
  } catch (error) {
    // While the cluster is away the last count holds; what it misses is settled when the cluster is back.
    if (isUnavailable(error) || hasReason(error, 'NotFound'))
      return amountsOf(project.spec?.resourceQuota?.usedLimit as QuotaLimit | undefined);
    throw error;
  }
}

/** The quota of one of a project's namespaces, by Kubernetes' names. */
export function shareOf({ metadata }: Resource, fallbackLimit: QuotaLimit): Record<string, string> {
  return completeQuota(readAnnotation(metadata.annotations?.[quotaKey], 'limit').value, fallbackLimit);
}

/** The project's namespaces that are to stay, read by the server itself. */
export async function namespacesIn(
  client: ReturnType<ApiRequest['deps']['clients']['get']>,
  projectId: string,
): Promise<Resource[]> {
  const out: Resource[] = [];
  const labelSelector = `${projectKey}=${projectId.split(':')[1] ?? ''}`;
  for await (const one of client.listAll<Resource>(namespaces, { labelSelector }))
    if (one.metadata.annotations?.[projectKey] === projectId && !one.metadata.deletionTimestamp) out.push(one);
  return out;
}
