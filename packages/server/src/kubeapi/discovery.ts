/**
 * Discovery of the management group, alone or laid over what the local cluster has: the classic documents, and the
 * aggregated ones (apidiscovery.k8s.io v2 and v2beta1) for those who accept them.
 */
import type { KubeType } from './kube-type.ts';
import { kubeTypes, managementApiVersion, managementGroup, managementVersion } from './kube-type.ts';
import { isObject, type Json } from './shape.ts';

export type DiscoveryForm = 'classic' | 'v2' | 'v2beta1';

/** The first form in `Accept` that there is. */
export function discoveryForm(accept: string | undefined): DiscoveryForm {
  for (const range of (accept ?? '').split(',')) {
    const parameters = range.split(';').map(part => part.trim());
    if (!parameters.includes('as=APIGroupDiscoveryList')) continue;
    if (parameters.includes('v=v2')) return 'v2';
    if (parameters.includes('v=v2beta1')) return 'v2beta1';
  }
  return 'classic';
}

export const contentTypeOf = (form: DiscoveryForm): string =>
  form === 'classic' ? 'application/json' : `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;

const version = { groupVersion: managementApiVersion, version: managementVersion };
export const ownGroup: Json = {
  name: managementGroup,
  versions: [version],
  preferredVersion: version,
};

const singular = ({ declaration }: KubeType): string => declaration.kind.toLowerCase();

export function ownResources(): Json {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: managementApiVersion,
    resources: kubeTypes.map(type => ({
      name: type.declaration.resource,
      singularName: singular(type),
      namespaced: type.namespaced,
      kind: type.declaration.kind,
      verbs: type.verbs,
      categories: ['management'],
    })),
  };
}

function ownAggregated(): Json {
  return {
    metadata: { name: managementGroup, creationTimestamp: null },
    versions: [
      {
        version: managementVersion,
        freshness: 'Current',
        resources: kubeTypes.map(type => ({
          resource: type.declaration.resource,
          responseKind: { group: managementGroup, version: managementVersion, kind: type.declaration.kind },
          scope: type.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: singular(type),
          verbs: type.verbs,
          categories: ['management'],
        })),
      },
    ],
  };
}

/** `/apis` with our group in place of one of that name; `local` is what the local cluster answered in the same form. */
export function groupList(form: DiscoveryForm, local: unknown): Json {
  if (form === 'classic') {
    const others = listIn(local, 'groups').filter(group => group['name'] !== managementGroup);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: [...others, ownGroup] };
  }
  const others = listIn(local, 'items').filter(
    group => (group['metadata'] as Json | undefined)?.['name'] !== managementGroup,
  );
  return { ...aggregatedHead(form), items: [...others, ownAggregated()] };
}

const aggregatedHead = (form: DiscoveryForm): Json => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${form}`,
  metadata: {},
});

/** `/api` where there is no cluster: the core group has nothing. */
export function emptyCore(form: DiscoveryForm): Json {
  if (form !== 'classic') return { ...aggregatedHead(form), items: [] };
  return { kind: 'APIVersions', versions: [], serverAddressByClientCIDRs: [] };
}

function listIn(document: unknown, name: string): Json[] {
  const list = isObject(document) ? document[name] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}
