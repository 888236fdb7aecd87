/** Amounts of quotas: v3's words for what is limited and Kubernetes', read, added up, compared and written. Pure. */
import { formatBytes, formatCpu, parseQuantity, StatusError } from '@drover/base';

/** As v3 and the annotations hold it; what is null or empty is not limited. */
export type QuotaLimit = Readonly<Record<string, unknown>>;
/** By Kubernetes' name of the resource: cores, bytes, pieces. */
export type QuotaAmounts = Readonly<Record<string, number>>;

const kubeNames: Readonly<Record<string, string>> = {
  configMaps: 'configmaps',
  limitsCpu: 'limits.cpu',
  limitsMemory: 'limits.memory',
  persistentVolumeClaims: 'persistentvolumeclaims',
  pods: 'pods',
  replicationControllers: 'replicationcontrollers',
  requestsCpu: 'requests.cpu',
  requestsMemory: 'requests.memory',
  requestsStorage: 'requests.storage',
  secrets: 'secrets',
  services: 'services',
  servicesLoadBalancers: 'services.loadbalancers',
  servicesNodePorts: 'services.nodeports',
};
const v3Names = new Map(Object.entries(kubeNames).map(([ours, theirs]) => [theirs, ours]));

/** The quantities as they were written, by Kubernetes' names. */
export function quantitiesOf(limit: QuotaLimit | null | undefined): Record<string, string> {
  const out: Record<string, string> = {};
  const put = (name: string, value: unknown) => {
    if (value !== undefined && value !== null && value !== '') out[name] = String(value);
  };
  for (const [name, value] of Object.entries(limit ?? {})) {
    if (name === 'extended') {
      for (const [resource, amount] of Object.entries((value ?? {}) as QuotaLimit)) put(resource, amount);
    } else put(kubeNames[name] ?? name, value);
  }
  return out;
}

/** Throws BadRequest for what is no quantity. */
export function amountsOf(limit: QuotaLimit | null | undefined): QuotaAmounts {
  return Object.fromEntries(Object.entries(quantitiesOf(limit)).map(([name, text]) => [name, parseQuantity(text)]));
}

/** Quantities by Kubernetes' names as v3 has them. */
export function limitOf(quantities: Readonly<Record<string, string>>): QuotaLimit {
  const out: Record<string, unknown> = {};
  const extended: Record<string, string> = {};
  for (const [name, text] of Object.entries(quantities).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const own = v3Names.get(name);
    if (own) out[own] = text;
    else extended[name] = text;
  }
  return Object.keys(extended).length > 0 ? { ...out, extended } : out;
}

export function formatAmount(name: string, amount: number): string {
  if (/(^|\.)cpu$/.test(name)) return formatCpu(amount);
  if (/memory$|storage$/.test(name)) return formatBytes(amount);
  return Number.isInteger(amount) ? String(amount) : `${Math.ceil(amount * 1000 - 1e-6)}m`;
}

export function addUp(all: Iterable<QuotaAmounts>): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const amounts of all) {
    for (const [name, amount] of Object.entries(amounts)) sum[name] = (sum[name] ?? 0) + amount;
  }
  return sum;
}

/** Sums of thousandths come out a hair beside what they are. */
const hair = 1 + 1e-9;

/** The names of what is more than the limit allows, or less than nothing; what is not limited is never too much. */
export function tooMuch(asked: QuotaAmounts, limit: QuotaAmounts): string[] {
  return Object.keys(asked).filter(
    name => asked[name]! < 0 || (limit[name] !== undefined && asked[name]! > limit[name] * hair),
  );
}

/** For people: `pods=5, requests.cpu=500m`, in v3's words. */
export function nameAmounts(names: readonly string[], amounts: QuotaAmounts): string {
  return names.map(name => `${v3Names.get(name) ?? name}=${formatAmount(name, amounts[name] ?? 0)}`).join(', ');
}

/** What a namespace of the project gets: its own wishes among what the default names, and the default for the rest. */
export function completeQuota(own: QuotaLimit | undefined, fallback: QuotaLimit): Record<string, string> {
  const wishes = quantitiesOf(own);
  return Object.fromEntries(Object.entries(quantitiesOf(fallback)).map(([name, text]) => [name, wishes[name] ?? text]));
}

export interface ReadAnnotation {
  /** Undefined where there is none, or none that can be read. */
  readonly value?: QuotaLimit;
  /** What is wrong with it. */
  readonly wrong?: string;
}

/** A quota or limit in an annotation, where somebody may have written anything. `inner` is the key that it is under. */
export function readAnnotation(text: string | undefined, inner?: 'limit'): ReadAnnotation {
  if (text === undefined || text === '' || text === 'null') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    const value = inner ? (parsed as Record<string, unknown> | null)?.[inner] : parsed;
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return { wrong: 'must be a JSON object of quantities' };
    amountsOf(value as QuotaLimit);
    return { value: value as QuotaLimit };
  } catch (error) {
    return { wrong: error instanceof StatusError ? error.message : 'is no JSON' };
  }
}

/** Whether two annotations hold the same quota, however it is written. */
export function sameQuota(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  const [one, other] = [readAnnotation(a, 'limit').value, readAnnotation(b, 'limit').value];
  if (!one || !other) return false;
  const sorted = (limit: QuotaLimit) => JSON.stringify(Object.entries(quantitiesOf(limit)).sort());
  return sorted(one) === sorted(other);
}
