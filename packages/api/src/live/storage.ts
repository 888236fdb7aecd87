/** Volumes, claims to them and the classes that make them. */
import { type LiveType, liveType } from './live-type.ts';
import { annotation, move, type Op, within } from './ops.ts';

export const claimSpec: readonly Op[] = [move('storageClassName', 'storageClassId'), move('volumeName', 'volumeId')];

export const storageTypes: readonly LiveType[] = [
  liveType({
    id: 'persistentVolumeClaim',
    context: 'project',
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    resource: 'persistentvolumeclaims',
    namespaced: true,
    spec: claimSpec,
  }),
  liveType({
    id: 'persistentVolume',
    context: 'cluster',
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    resource: 'persistentvolumes',
    namespaced: false,
    spec: [move('storageClassName', 'storageClassId'), within('hostPath', move('type', 'kind'))],
    ops: [annotation('description')],
  }),
  liveType({
    id: 'storageClass',
    context: 'cluster',
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    resource: 'storageclasses',
    namespaced: false,
    ops: [annotation('description')],
  }),
];
