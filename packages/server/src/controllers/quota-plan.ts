/**
 * What quotas come to in a cluster: for each namespace of its projects the annotations, conditions, ResourceQuota and
 * LimitRange that it should have, and for each project what of it is given. Pure.
 */
import type { Project } from '@drover/api';
import { parseQuantity, type Resource, StatusError } from '@drover/base';
import { projectKey } from './cluster-projects.ts';
import {
  addUp,
  amountsOf,
  completeQuota,
  formatAmount,
  limitOf,
  nameAmounts,
  type QuotaAmounts,
  type QuotaLimit,
  readAnnotation,
  tooMuch,
} from './quota-amounts.ts';

export const quotaKey = 'field.cattle.io/resourceQuota';
export const containerKey = 'field.cattle.io/containerDefaultResourceLimit';
export const statusKey = 'cattle.io/status';
/** On the ResourceQuota and the LimitRange of a namespace that come from here. */
export const quotaLabel = 'resourcequota.management.cattle.io/default-resource-quota';

type Quantities = Readonly<Record<string, string>>;

export type QuotaObject = Resource<{ readonly hard?: Quantities }>;

export interface LimitItem {
  readonly type: string;
  readonly default?: Quantities;
  readonly defaultRequest?: Quantities;
}

export type LimitRange = Resource<{ readonly limits?: readonly LimitItem[] }>;

export interface SeenQuotas {
  readonly clusterId: string;
  readonly projects: readonly Project[];
  readonly namespaces: readonly Resource[];
  /** The ResourceQuota of ours in a namespace, if there is one. */
  readonly quotaIn: (namespace: string) => QuotaObject | undefined;
}

/** What a namespace should have. */
export interface NamespacePlan {
  readonly name: string;
  /** Each annotation as it is to be; null takes it away. Others stay. */
  readonly annotations: Readonly<Record<string, string | null>>;
  /** The quota as it holds; undefined for none. */
  readonly hard?: Quantities;
  /** The one item of the limit range; undefined for none. */
  readonly limits?: LimitItem;
  readonly conditions: readonly QuotaCondition[];
}

export interface QuotaCondition {
  readonly type: 'ResourceQuotaInit' | 'ResourceQuotaValidated';
  /** Undefined takes the condition away. */
  readonly status?: 'True' | 'False';
  readonly message?: string;
}

export interface QuotaPlan {
  readonly namespaces: readonly NamespacePlan[];
  /** By the project's name: what of its quota is given to namespaces. */
  readonly used: ReadonlyMap<string, QuotaLimit>;
}

export function planQuotas({ clusterId, projects, namespaces, quotaIn }: SeenQuotas): QuotaPlan {
  const byProject = Map.groupBy(namespaces, one => one.metadata.annotations?.[projectKey] ?? '');
  const plans: NamespacePlan[] = [];
  const used = new Map<string, QuotaLimit>();
  for (const project of projects) {
    const { name } = project.metadata;
    const own = (byProject.get(`${clusterId}:${name}`) ?? []).filter(one => !one.metadata.deletionTimestamp);
    const quotas = planProject(project, own, quotaIn);
    const containers = project.spec?.containerDefaultResourceLimit;
    for (const namespace of own) {
      const quota = quotas.given.get(namespace.metadata.name) ?? noQuota;
      plans.push(withLimits(namespace, quota, containers as QuotaLimit | undefined));
    }
    if (quotas.used) used.set(name, quotas.used);
  }
  // One that was taken out of its project leaves its part of the project's quota there; its own limits for containers stay its own.
  for (const namespace of byProject.get('') ?? []) {
    const { name, annotations, deletionTimestamp } = namespace.metadata;
    const had = quotaIn(name) || conditionIn(namespace, 'ResourceQuotaValidated');
    const quota = had ? noQuota : { annotation: annotations?.[quotaKey] ?? null, conditions: [] };
    if (!deletionTimestamp) plans.push(withLimits(namespace, quota, undefined));
  }
  return { namespaces: plans, used };
}

interface Given {
  readonly annotation: string | null;
  readonly hard?: Quantities;
  readonly conditions: readonly QuotaCondition[];
}

const noQuota: Given = { annotation: null, conditions: [{ type: 'ResourceQuotaValidated' }] };

/** Whether the project limits anything. */
export function hasQuota(project: Project): boolean {
  const { resourceQuota, namespaceDefaultResourceQuota } = project.spec ?? {};
  return Boolean(resourceQuota?.limit && namespaceDefaultResourceQuota?.limit);
}

/** Those that had their part before come first, then the older ones: whoever comes too late gets what is left. */
function inTurn(namespaces: readonly Resource[]): Resource[] {
  const had = (one: Resource) => (conditionIn(one, 'ResourceQuotaValidated')?.Status === 'True' ? 0 : 1);
  const since = (one: Resource) => one.metadata.creationTimestamp ?? '';
  return namespaces.toSorted(
    (a, b) => had(a) - had(b) || since(a).localeCompare(since(b)) || a.metadata.name.localeCompare(b.metadata.name),
  );
}

function planProject(
  project: Project,
  namespaces: readonly Resource[],
  quotaIn: SeenQuotas['quotaIn'],
): { readonly given: ReadonlyMap<string, Given>; readonly used?: QuotaLimit } {
  const given = new Map<string, Given>();
  if (!hasQuota(project)) return { given };
  const limit = amountsOf(project.spec?.resourceQuota?.limit as QuotaLimit);
  const fallback = project.spec?.namespaceDefaultResourceQuota?.limit as QuotaLimit;
  let sum: Record<string, number> = {};
  for (const namespace of inTurn(namespaces)) {
    const { name, annotations } = namespace.metadata;
    const { value, wrong } = readAnnotation(annotations?.[quotaKey], 'limit');
    const wanted = completeQuota(value, fallback);
    const amounts = amountsOf(wanted);
    const bad = tooMuch(addUp([sum, amounts]), limit).concat(Object.keys(amounts).filter(key => amounts[key]! < 0));
    const hard = { ...wanted };
    for (const key of bad) hard[key] = leftOf(key, { sum, limit, seen: quotaIn(name)?.spec?.hard?.[key] });
    sum = addUp([sum, amountsOf(hard)]);
    const message = wrong
      ? `The annotation ${quotaKey} ${wrong}; the project's default holds instead`
      : `Resource quota [${nameAmounts(bad, amounts)}] exceeds project limit, or is based on negative values`;
    const isFit = bad.length === 0 && !wrong;
    given.set(name, {
      annotation: JSON.stringify({ limit: limitOf(wanted) }),
      hard,
      conditions: [
        { type: 'ResourceQuotaInit', status: 'True' },
        { type: 'ResourceQuotaValidated', ...(isFit ? { status: 'True' } : { status: 'False', message }) },
      ],
    });
    // What could not be read stays for whoever wrote it.
    if (wrong) given.set(name, { ...given.get(name)!, annotation: annotations![quotaKey]! });
  }
  return { given, used: limitOf(formatted(sum)) };
}

/** What it has already goes on where there is room for it; else it gets nothing. */
function leftOf(
  key: string,
  { sum, limit, seen }: { sum: QuotaAmounts; limit: QuotaAmounts; seen: string | undefined },
): string {
  const amount = seen === undefined ? 0 : parseQuantity(seen);
  return seen !== undefined && tooMuch({ [key]: (sum[key] ?? 0) + amount }, limit).length === 0 ? seen : '0';
}

const formatted = (amounts: QuotaAmounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatAmount(name, amount)]));

function withLimits(namespace: Resource, quota: Given, ofProject: QuotaLimit | undefined): NamespacePlan {
  const { name, annotations } = namespace.metadata;
  const { value: own, wrong } = readAnnotation(annotations?.[containerKey]);
  const merged = { ...quantities(ofProject), ...quantities(own) };
  const limits = limitItem(merged);
  const container = wrong ? annotations![containerKey]! : limits ? JSON.stringify(merged) : null;
  return {
    name,
    annotations: { [quotaKey]: quota.annotation, [containerKey]: container },
    ...(quota.hard && Object.keys(quota.hard).length > 0 ? { hard: quota.hard } : {}),
    ...(limits ? { limits } : {}),
    conditions: quota.conditions,
  };
}

const containerFields = ['limitsCpu', 'limitsMemory', 'requestsCpu', 'requestsMemory'] as const;

function quantities(limit: QuotaLimit | undefined): Record<string, string> {
  const given = containerFields.filter(
    name => limit?.[name] !== undefined && limit[name] !== null && limit[name] !== '',
  );
  return Object.fromEntries(given.map(name => [name, String(limit![name])]));
}

function limitItem(limit: Readonly<Record<string, string>>): LimitItem | undefined {
  const part = (cpu: string, memory: string) => {
    const found = { ...(limit[cpu] ? { cpu: limit[cpu] } : {}), ...(limit[memory] ? { memory: limit[memory] } : {}) };
    return Object.keys(found).length > 0 ? found : undefined;
  };
  const [most, asked] = [part('limitsCpu', 'limitsMemory'), part('requestsCpu', 'requestsMemory')];
  if (!most && !asked) return undefined;
  return { type: 'Container', ...(most ? { default: most } : {}), ...(asked ? { defaultRequest: asked } : {}) };
}

/** A condition as the annotation holds it; its keys are capitalised there. */
export interface KeptCondition {
  readonly Type: string;
  readonly Status: string;
  readonly Message: string;
  readonly LastUpdateTime: string;
}

/** The conditions of a namespace; none where the annotation can't be read. */
export function conditionsIn(namespace: Resource): readonly KeptCondition[] {
  try {
    const parsed = JSON.parse(namespace.metadata.annotations?.[statusKey] ?? '{}') as { Conditions?: KeptCondition[] };
    return Array.isArray(parsed?.Conditions) ? parsed.Conditions : [];
  } catch {
    return [];
  }
}

function conditionIn(namespace: Resource, type: string): KeptCondition | undefined {
  return conditionsIn(namespace).find(one => one.Type === type);
}

/** The annotation with these conditions in their places; as it was where nothing about them differs. */
export function withConditions(namespace: Resource, wanted: readonly QuotaCondition[], now: Date): string | undefined {
  const before = conditionsIn(namespace);
  let next = [...before];
  for (const { type, status, message = '' } of wanted) {
    const at = next.findIndex(one => one.Type === type);
    if (status === undefined) next = next.filter(one => one.Type !== type);
    else if (next[at]?.Status !== status || next[at].Message !== message) {
      const made = {
        Type: type,
        Status: status,
        Message: message,
        LastUpdateTime: `${now.toISOString().slice(0, 19)}Z`,
      };
      next = at < 0 ? [...next, made] : next.with(at, made);
    }
  }
  const text = namespace.metadata.annotations?.[statusKey];
  if (JSON.stringify(next) === JSON.stringify(before)) return text;
  return JSON.stringify({ Conditions: next });
}

/** Whether two sets of quantities are the same amounts, however they are written. */
export function sameAmounts(a: Quantities | undefined = {}, b: Quantities | undefined = {}): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  try {
    return names.every(name => b[name] !== undefined && parseQuantity(a[name]!) === parseQuantity(b[name]));
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}

/** Whether a limit range says what is wanted. */
export function sameLimits(seen: LimitRange, wanted: LimitItem): boolean {
  const [item, ...more] = seen.spec?.limits ?? [];
  // The cluster fills in what is asked for from what is allowed.
  const asked = { ...wanted.default, ...wanted.defaultRequest };
  return (
    item !== undefined &&
    more.length === 0 &&
    item.type === wanted.type &&
    sameAmounts(item.default, wanted.default) &&
    sameAmounts(item.defaultRequest, asked)
  );
}
