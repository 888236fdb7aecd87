/**
 * Quotas of namespaces as v3 takes and shows them: a part of what the project has, kept in annotations, from which the server
 * makes the cluster's own quota and limit range.
 */
import type { Project, V3Data } from '@drover/api';
import { invalid, isNotFound, type Resource } from '@drover/base';
import type { ApiRequest } from '../api/behaviour.ts';
import { namespacesIn, requireQuantities, shareOf } from '../api/project-quota.ts';
import { ownLimitsKey } from '../controllers/project-quotas.ts';
import {
  addUp,
  amountsOf,
  completeQuota,
  nameAmounts,
  type QuotaLimit,
  quantitiesOf,
  readAnnotation,
  tooMuch,
} from '../controllers/quota-amounts.ts';
import { conditionsIn, containerKey, hasQuota, quotaKey } from '../controllers/quota-plan.ts';
import { asServer } from './as-caller.ts';

type Annotations = Readonly<Record<string, string>>;

/** What v3 shows of them. */
export function showQuota(annotations: Annotations): V3Data {
  const { value: limit } = readAnnotation(annotations[quotaKey], 'limit');
  const { value: container } = readAnnotation(annotations[containerKey]);
  return {
    ...(limit ? { resourceQuota: { limit } } : {}),
    ...(container ? { containerDefaultResourceLimit: container } : {}),
  };
}

/** Whether it has what it asked for of its project's quota, and if not, why. */
export function quotaState(namespace: Resource): V3Data {
  const validated = conditionsIn(namespace).find(one => one.Type === 'ResourceQuotaValidated');
  return validated?.Status === 'False'
    ? { state: 'error', transitioning: 'error', transitioningMessage: validated.Message }
    : { state: 'active', transitioning: 'no', transitioningMessage: '' };
}

/** The annotations for what was asked; null takes one away. Throws where the project has not that much left. */
export async function quotaAnnotations(
  request: ApiRequest,
  input: V3Data,
  {
    name,
    projectId,
    isNew,
  }: { readonly name: string; readonly projectId: string | undefined; readonly isNew: boolean },
): Promise<Record<string, string | null>> {
  const out: Record<string, string | null> = {};
  const project = projectOf(request, projectId);
  const asked = (input['resourceQuota'] as { limit?: QuotaLimit } | null | undefined)?.limit ?? undefined;
  requireQuantities(asked, 'resourceQuota');
  if (asked && Object.keys(quantitiesOf(asked)).length > 0 && !(project && hasQuota(project)))
    throw invalid('resourceQuota', 'can be set in a project that has a resourceQuota only', 'InvalidState');
  if (project && hasQuota(project) && (asked || isNew)) await requireLeft(request, project, { name, asked });
  if (asked) out[quotaKey] = JSON.stringify({ limit: withoutEmpty(asked) });
  else if (input['resourceQuota'] === null) out[quotaKey] = null;
  const container = input['containerDefaultResourceLimit'] as QuotaLimit | null | undefined;
  requireQuantities(container, 'containerDefaultResourceLimit');
  if (container) {
    out[containerKey] = JSON.stringify(withoutEmpty(container));
    if (project) await noteOwnLimits(request, project);
  } else if (container === null) out[containerKey] = null;
  return out;
}

const withoutEmpty = (limit: QuotaLimit): QuotaLimit =>
  Object.fromEntries(Object.entries(limit).filter(([, value]) => value !== null && value !== ''));

function projectOf({ deps }: ApiRequest, projectId: string | undefined): Project | undefined {
  const [clusterId = '', name = ''] = projectId?.split(':') ?? [];
  return deps.caches.project.get(name, clusterId);
}

/** Throws where this share and the others' come to more than the project has. */
async function requireLeft(
  request: ApiRequest,
  { metadata, spec }: Project,
  { name, asked }: { readonly name: string; readonly asked: QuotaLimit | undefined },
): Promise<void> {
  const share = spec?.namespaceDefaultResourceQuota?.limit as QuotaLimit;
  const limit = amountsOf(spec?.resourceQuota?.limit as QuotaLimit);
  const unknown = Object.keys(quantitiesOf(asked)).filter(one => !(one in limit));
  if (unknown.length > 0)
    throw invalid('resourceQuota', `has what the project does not limit: ${unknown.join(', ')}`, 'InvalidOption');
  const all = await namespacesIn(asServer(request), `${metadata.namespace}:${metadata.name}`);
  const others = addUp(all.filter(one => one.metadata.name !== name).map(one => amountsOf(shareOf(one, share))));
  const mine = amountsOf(completeQuota(asked, share));
  const over = tooMuch(addUp([others, mine]), limit);
  if (over.length === 0) return;
  const left = Object.fromEntries(over.map(one => [one, Math.max(0, (limit[one] ?? 0) - (others[one] ?? 0))]));
  const text = `exceeds the project's limit on: ${nameAmounts(over, mine)}; left are ${nameAmounts(over, left)}`;
  throw invalid('resourceQuota', text, 'MaxLimitExceeded');
}

/** Limits of a namespace's own are looked after from then on, though its project has none. */
async function noteOwnLimits({ deps }: ApiRequest, { metadata }: Project): Promise<void> {
  const { name, namespace } = metadata;
  if (metadata.annotations?.[ownLimitsKey] !== undefined) return;
  await deps.resources
    .modify('project', { name, namespace }, seen => ({
      ...seen,
      metadata: { ...seen.metadata, annotations: { ...seen.metadata.annotations, [ownLimitsKey]: 'own' } },
    }))
    .catch(error => {
      if (!isNotFound(error)) throw error;
    });
}

/** A project with a quota takes new namespaces, none that has come without a share of it. */
export function requireNoQuota(request: ApiRequest, projectId: string | null | undefined): void {
  const project = projectOf(request, projectId ?? undefined);
  if (project && hasQuota(project))
    throw invalid(
      'projectId',
      `project "${projectId}" has a resource quota: no namespace can be moved into it`,
      'InvalidState',
    );
}
