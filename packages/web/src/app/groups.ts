/** How the kinds that everybody knows are grouped in the navigation; whatever else a cluster has stands under custom resources. */
import type { Kind } from '../net/kinds.ts';
import type { IconName } from '../parts/Icon.tsx';

export interface Group {
  readonly name: string;
  readonly icon: IconName;
  readonly plurals: readonly string[];
}

export const groups: readonly Group[] = [
  { name: 'cluster', icon: 'node', plurals: ['nodes', 'namespaces', 'events'] },
  {
    name: 'workloads',
    icon: 'workload',
    plurals: ['apps.deployments', 'apps.statefulsets', 'apps.daemonsets', 'batch.jobs', 'batch.cronjobs', 'pods'],
  },
  {
    name: 'network',
    icon: 'network',
    plurals: ['services', 'networking.k8s.io.ingresses', 'networking.k8s.io.networkpolicies'],
  },
  {
    name: 'storage',
    icon: 'storage',
    plurals: ['persistentvolumeclaims', 'persistentvolumes', 'storage.k8s.io.storageclasses'],
  },
  {
    name: 'config',
    icon: 'config',
    plurals: ['configmaps', 'secrets', 'autoscaling.horizontalpodautoscalers', 'resourcequotas', 'limitranges'],
  },
  {
    name: 'access',
    icon: 'access',
    plurals: [
      'serviceaccounts',
      'rbac.authorization.k8s.io.roles',
      'rbac.authorization.k8s.io.rolebindings',
      'rbac.authorization.k8s.io.clusterroles',
      'rbac.authorization.k8s.io.clusterrolebindings',
    ],
  },
];

const grouped: ReadonlySet<string> = new Set(groups.flatMap(({ plurals }) => plurals));
/** The same objects once more, under another group. */
const doubles: ReadonlySet<string> = new Set(['events.k8s.io.events']);

export const isOther = ({ plural }: Kind): boolean => !grouped.has(plural) && !doubles.has(plural);

/** As it stands in titles: `StorageClass` is written `StorageClasses`. */
export function pluralOf({ kind }: Pick<Kind, 'kind'>): string {
  if (/(?:s|x|ch|sh)$/.test(kind)) return /(?:points|metrics|s)$/.test(kind) && !/ss$/.test(kind) ? kind : `${kind}es`;
  return /[^aeiou]y$/.test(kind) ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}
