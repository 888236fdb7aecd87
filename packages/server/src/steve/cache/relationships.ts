/** `metadata.relationships`: what an object says it belongs to, uses and selects, in the words that dashboards follow. */
import type { Observed } from './state.ts';

export interface Relationship {
  readonly toId?: string;
  readonly fromId?: string;
  readonly toType?: string;
  readonly fromType?: string;
  readonly toNamespace?: string;
  readonly rel: string;
  readonly selector?: string;
}

interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

type Any = Record<string, unknown>;

const most = 100;
/** Kinds that own objects of namespaces and live in none themselves. */
const clusterKinds = new Set(['Node', 'Namespace', 'PersistentVolume', 'CustomResourceDefinition', 'ClusterRole']);

/** The id of a kind's type: `apps.deployment`, `pod`. */
export function schemaIdOf(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  return (slash < 0 ? kind : `${apiVersion.slice(0, slash)}.${kind}`).toLowerCase();
}

export function relationshipsOf(
  object: Observed & {
    readonly metadata: { readonly namespace?: string; readonly ownerReferences?: readonly Owner[] };
  },
): Relationship[] {
  const { namespace } = object.metadata;
  const found: Relationship[] = (object.metadata.ownerReferences ?? []).map(owner => ({
    fromId: namespace && !clusterKinds.has(owner.kind) ? `${namespace}/${owner.name}` : owner.name,
    fromType: schemaIdOf(owner.apiVersion, owner.kind),
    rel: 'owner',
  }));
  if (object.kind === 'Pod') found.push(...usedBy(object.spec ?? {}, namespace));
  const selector = selectorOf(object);
  if (selector)
    found.push({
      toType: 'pod',
      ...(namespace ? { toNamespace: namespace } : {}),
      rel: object.kind === 'Service' ? 'selects' : 'creates',
      selector,
    });
  return found.slice(0, most);
}

function selectorOf({ kind, spec = {} }: Observed): string | undefined {
  const { selector } = spec as { selector?: { matchLabels?: Record<string, string> } & Record<string, unknown> };
  if (!selector || typeof selector !== 'object') return undefined;
  const labels = kind === 'Service' || kind === 'ReplicationController' ? selector : selector.matchLabels;
  const pairs = Object.entries(labels ?? {}).filter(([, value]) => typeof value === 'string');
  return pairs.length > 0 ? pairs.map(([key, value]) => `${key}=${value}`).join(',') : undefined;
}

function usedBy(spec: Any, namespace = ''): Relationship[] {
  const names = new Map<string, Relationship>();
  const uses = (type: string, name: unknown) => {
    if (typeof name !== 'string' || name === '') return;
    names.set(`${type} ${name}`, { toId: `${namespace}/${name}`, toType: type, rel: 'uses' });
  };
  uses('serviceaccount', spec['serviceAccountName']);
  if (typeof spec['nodeName'] === 'string' && spec['nodeName'] !== '')
    names.set('node', { toId: spec['nodeName'], toType: 'node', rel: 'uses' });
  for (const volume of listOf(spec['volumes'])) {
    uses('configmap', (volume['configMap'] as Any | undefined)?.['name']);
    uses('secret', (volume['secret'] as Any | undefined)?.['secretName']);
    uses('persistentvolumeclaim', (volume['persistentVolumeClaim'] as Any | undefined)?.['claimName']);
  }
  for (const container of [...listOf(spec['initContainers']), ...listOf(spec['containers'])]) {
    for (const source of [...listOf(container['envFrom']), ...listOf(container['env'])]) {
      const from = (source['valueFrom'] ?? source) as Any;
      uses('configmap', ((from['configMapRef'] ?? from['configMapKeyRef']) as Any | undefined)?.['name']);
      uses('secret', ((from['secretRef'] ?? from['secretKeyRef']) as Any | undefined)?.['name']);
    }
  }
  return [...names.values()];
}

function listOf(value: unknown): Any[] {
  return Array.isArray(value) ? (value.filter(one => typeof one === 'object' && one !== null) as Any[]) : [];
}
