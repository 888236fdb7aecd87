/**
 * Live sources: what of a cluster subscribers of v3 are told from: for each type the kinds of the cluster's API behind it, and
 * how an object of one shows. A workload may be of many kinds; secrets are told of as whoever asks reads them.
 */
import { type LiveObject, type LiveType, liveTypes, type V3Data, workloadKinds } from '@drover/api';
import { namespaces } from '@drover/kube';
import type { ApiView, ServedType } from '../api/behaviour.ts';
import { clusterOf } from './as-caller.ts';
import { getLive, showLive } from './live-store.ts';
import { showNamespace } from './namespaces.ts';

export interface LiveSource {
  /** The type that it is asked for as; its links and filters are what is shown with. */
  readonly served: ServedType;
  readonly apiVersion: string;
  readonly resource: string;
  /** The type and base type that a removal names. */
  readonly id: string;
  readonly baseType: string;
  idOf(namespace: string, name: string): string;
  /** Undefined where the object is none of the type. */
  show(view: ApiView, object: LiveObject): V3Data | undefined;
  /** For what is kept nowhere but in the cluster: the object as the caller reads it. */
  readonly read?: (view: ApiView, id: string) => Promise<LiveObject>;
}

const byId = new Map<string, LiveType>(liveTypes.map(type => [type.id, type]));

/** None for what is not read from a cluster. */
export function liveSources(served: ServedType): LiveSource[] {
  const { id } = served.declaration;
  if (!served.context) return [];
  if (id === 'namespace') return [namespaceSource(served)];
  if (id === 'workload') return workloadKinds.map(kind => sourceOf(served, kind));
  const type = byId.get(id);
  return type ? [sourceOf(served, type)] : [];
}

function sourceOf(served: ServedType, type: LiveType): LiveSource {
  const { id, apiVersion, resource, kind, idPrefix = '', namespaced, baseType = id } = type;
  const isMine = ({ metadata }: LiveObject) =>
    served.declaration.id !== 'workload' || !metadata.ownerReferences?.some(({ controller }) => controller === true);
  return {
    served,
    apiVersion,
    resource,
    id,
    baseType,
    idOf: (namespace, name) => idPrefix + (namespaced ? `${namespace}:${name}` : name),
    show: (view, object) => (isMine(object) ? showLive(view, type, { ...object, apiVersion, kind }) : undefined),
    ...(resource === 'secrets' ? { read: (view: ApiView, of: string) => getLive(view, type, of) } : {}),
  };
}

const namespaceSource = (served: ServedType): LiveSource => ({
  served,
  apiVersion: namespaces.apiVersion,
  resource: namespaces.resource,
  id: 'namespace',
  baseType: 'namespace',
  idOf: (_, name) => name,
  show: (_, object) => showNamespace(object as Parameters<typeof showNamespace>[0]),
});

/** The cluster that a context is or is in, and the bare name of its project. */
export function placeOfContext(view: ApiView): { readonly clusterId: string; readonly project: string | undefined } {
  return {
    clusterId: clusterOf(view),
    project: view.context?.type === 'project' ? view.context.id.split(':')[1] : undefined,
  };
}
