/** Quotas on the command line: `pods=10,limitsCpu=4` to what the API takes, and back to a table that people read. */
import { invalid, parseQuantity } from '@drover/base';
import type { V3Resource } from '../client.ts';
import type { GlobalFlags } from '../context.ts';
import type { Column } from '../output.ts';

export interface QuotaFlags extends GlobalFlags {
  readonly quota?: string;
  readonly namespaceQuota?: string;
  readonly containerLimit?: string;
}

type Limit = Record<string, unknown>;

const containerNames = ['limitsCpu', 'limitsMemory', 'requestsCpu', 'requestsMemory'];
const names = [
  'configMaps',
  'limitsCpu',
  'limitsMemory',
  'persistentVolumeClaims',
  'pods',
  'replicationControllers',
  'requestsCpu',
  'requestsMemory',
  'requestsStorage',
  'secrets',
  'services',
  'servicesLoadBalancers',
  'servicesNodePorts',
];

/** The fields that the flags give; `none` takes a limit away. */
export function quotaFields(flags: QuotaFlags): Record<string, unknown> {
  const { quota, namespaceQuota, containerLimit } = flags;
  return {
    ...(quota === undefined ? {} : { resourceQuota: quotaOf(quota, '--quota') }),
    ...(namespaceQuota === undefined
      ? {}
      : { namespaceDefaultResourceQuota: quotaOf(namespaceQuota, '--namespace-quota') }),
    ...(containerLimit === undefined
      ? {}
      : {
          containerDefaultResourceLimit:
            containerLimit === 'none' ? null : limitOf(containerLimit, '--container-limit', containerNames),
        }),
  };
}

/** A quota as a namespace or a project has it. */
function quotaOf(text: string, flag: string): { readonly limit: Limit } | null {
  return text === 'none' ? null : { limit: limitOf(text, flag, names) };
}

/** Throws naming the flag and what would be right. */
function limitOf(text: string, flag: string, known: readonly string[]): Limit {
  const out: Limit = {};
  const extended: Limit = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split('=');
    // Resources that Kubernetes does not know by itself have names such as requests.example.com/gpu.
    const isOther = known === names && /^[a-z0-9.-]+\/[A-Za-z0-9._-]+$|^[a-z]+\.[a-z0-9./-]+$/.test(name);
    if (!isOther && !known.includes(name)) throw invalid(flag, `"${name}" must be one of ${known.join(', ')}`);
    try {
      parseQuantity(value);
    } catch {
      throw invalid(flag, `"${part.trim()}" must be a name and a quantity, such as pods=10 or limitsCpu=500m`);
    }
    (isOther ? extended : out)[name] = value;
  }
  return Object.keys(extended).length > 0 ? { ...out, extended } : out;
}

export interface QuotaRow {
  readonly resource: string;
  readonly limit?: string;
  readonly used?: string;
  readonly each?: string;
  readonly container?: string;
}

/** A row for each resource that the project limits. */
export function quotaRows(project: V3Resource): QuotaRow[] {
  const part = (field: string, inner?: string) => flat(inner ? at(project[field], inner) : project[field]);
  const [limit, used] = [part('resourceQuota', 'limit'), part('resourceQuota', 'usedLimit')];
  const [each, container] = [part('namespaceDefaultResourceQuota', 'limit'), part('containerDefaultResourceLimit')];
  const all = [...new Set([limit, each, container].flatMap(one => Object.keys(one)))].sort();
  return all.map(resource => ({
    resource,
    limit: limit[resource],
    used: limit[resource] === undefined ? undefined : (used[resource] ?? '0'),
    each: each[resource],
    container: container[resource],
  }));
}

const at = (value: unknown, key: string): unknown => (value as Record<string, unknown> | null | undefined)?.[key];

function flat(limit: unknown): Record<string, string> {
  const { extended = {}, ...own } = (limit ?? {}) as Limit;
  const given = Object.entries({ ...own, ...(extended as Limit) }).filter(([, value]) => value);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

export const quotaColumns: Column<QuotaRow>[] = [
  { title: 'RESOURCE', value: row => row.resource },
  { title: 'LIMIT', value: row => row.limit },
  { title: 'GIVEN', value: row => row.used },
  { title: 'NAMESPACE DEFAULT', value: row => row.each },
  { title: 'CONTAINER DEFAULT', value: row => row.container },
];
