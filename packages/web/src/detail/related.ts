/** Which pods belong to an object, as requirements that the server filters by. */

import { quote } from '../list/filter-words.ts';
import { at, type KubeObject } from '../net/objects.ts';

/** Undefined for what has no pods. */
export function podFilters(object: KubeObject): readonly string[] | undefined {
  const { kind, metadata } = object;
  if (kind === 'Node') return [`spec.nodeName=${quote(metadata.name)}`];
  const path = kind === 'Service' ? 'spec.selector' : 'spec.selector.matchLabels';
  const labels = at(object, path);
  if (typeof labels !== 'object' || labels === null || Object.keys(labels).length === 0) return undefined;
  if (!['Service', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].includes(kind)) return undefined;
  return Object.entries(labels as Record<string, string>).map(
    ([name, value]) => `metadata.labels[${name}]=${quote(value)}`,
  );
}
