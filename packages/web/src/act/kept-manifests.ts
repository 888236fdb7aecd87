/** What of an object it takes to make it again after it was deleted: all but what the cluster itself gave it. */
import { type KubeObject, pathOf } from '../net/objects.ts';
import { ask } from '../net/request.ts';

/** With these the object is all that there is: made again, it is what it was. */
const remakeable: ReadonlySet<string> = new Set([
  'ConfigMap',
  'Secret',
  'Service',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'CronJob',
  'Ingress',
  'NetworkPolicy',
  'HorizontalPodAutoscaler',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'ServiceAccount',
  'LimitRange',
  'ResourceQuota',
  'PodDisruptionBudget',
]);

type Json = Record<string, unknown>;

/** The whole object before it is deleted; undefined where it can't be made again, or not be read. */
export async function keepManifest(object: KubeObject): Promise<KubeObject | undefined> {
  if (!remakeable.has(object.kind)) return undefined;
  return ask<KubeObject>(`${pathOf(object.links['self']!)}?exclude=metadata.managedFields`).catch(() => undefined);
}

/** What is sent to make it again. */
export function remade(object: KubeObject): Json {
  const { links: _, id: __, type: ___, status: ____, metadata, ...rest } = object as unknown as Json;
  const {
    uid: _1,
    resourceVersion: _2,
    creationTimestamp: _3,
    generation: _4,
    state: _5,
    fields: _6,
    relationships: _7,
    ownerReferences: _8,
    ...kept
  } = metadata as Json;
  return { ...rest, metadata: kept };
}

/** Makes it again where it was. */
export function remake(object: KubeObject): Promise<unknown> {
  const own = object.metadata.namespace ? 2 : 1;
  const collection = pathOf(object.links['self']!).split('/').slice(0, -own).join('/');
  return ask(collection, { method: 'POST', body: remade(object) });
}
