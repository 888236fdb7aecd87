/**
 * Workloads of every kind: the pod template flattened to the top, what is the kind's own in a struct named after it. Labels
 * and annotations at the top are the pods'; those of the object itself are `workloadLabels` and `workloadAnnotations`.
 */
import { containerPorts } from './container-ports.ts';
import { type LiveType, liveType } from './live-type.ts';
import { annotation, drop, embed, gather, move, type Op, put, take, valueAt, within } from './ops.ts';
import { podTemplate, podTemplateFields } from './pod-spec.ts';
import { claimSpec } from './storage.ts';

const endpoints = 'field.cattle.io/publicEndpoints';

/** Endpoints are noted on the object, and are v3's beside the pods' annotations. */
const ownEndpoints: Op = {
  toV3(data) {
    const value = take(data, ['workloadAnnotations', endpoints]);
    if (value !== undefined) put(data, ['annotations', endpoints], value);
  },
  fromV3(data) {
    if (valueAt(data, 'annotations', endpoints) !== undefined) take(data, ['annotations', endpoints]);
  },
};

/** Steps for the whole of a workload of that kind. */
const whole = (id: string): readonly Op[] => [
  move('status', `${id}Status`),
  move('labels', 'workloadLabels'),
  move('annotations', 'workloadAnnotations'),
  move('metadata/labels', 'labels'),
  move('metadata/annotations', 'annotations'),
  drop('metadata'),
  containerPorts,
  ownEndpoints,
  annotation('publicEndpoints', { json: true }),
  annotation('workloadMetrics', { json: true }),
];

const template: readonly Op[] = [within('template', ...podTemplate), embed('template', podTemplateFields)];

function workload(id: string, apiVersion: string, resource: string, spec: readonly Op[]): LiveType {
  const kind = id[0]!.toUpperCase() + id.slice(1);
  const shared = { context: 'project', namespaced: true, idPrefix: `${id}:`, baseType: 'workload' } as const;
  return liveType({ id, apiVersion, kind, resource, ...shared, spec, ops: whole(id) });
}

/** The update strategy of a kind: its type is v3's `strategy`, and what tunes it stands beside. */
const strategy = (field: string, keys: readonly string[]): readonly Op[] => [
  within(field, embed('rollingUpdate', keys), move('type', 'strategy')),
  embed(field, [...keys, 'strategy']),
];

const jobSpec: readonly Op[] = [
  ...gather(['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'manualSelector'], 'jobConfig'),
  ...template,
];

const jobFields = [
  ...['backoffLimitPerIndex', 'completionMode', 'jobConfig', 'managedBy', 'maxFailedIndexes', 'podFailurePolicy'],
  ...['podReplacementPolicy', 'selector', 'successPolicy', 'ttlSecondsAfterFinished'],
  ...podTemplateFields,
];

export const workloadKinds: readonly LiveType[] = [
  workload('deployment', 'apps/v1', 'deployments', [
    move('replicas', 'scale'),
    ...strategy('strategy', ['maxUnavailable', 'maxSurge']),
    ...gather(
      ['minReadySeconds', 'strategy', 'revisionHistoryLimit', 'progressDeadlineSeconds', 'maxUnavailable', 'maxSurge'],
      'deploymentConfig',
    ),
    ...template,
  ]),
  workload('daemonSet', 'apps/v1', 'daemonsets', [
    ...strategy('updateStrategy', ['maxUnavailable', 'maxSurge']),
    ...gather(['strategy', 'maxUnavailable', 'minReadySeconds', 'revisionHistoryLimit'], 'daemonSetConfig'),
    ...template,
  ]),
  workload('statefulSet', 'apps/v1', 'statefulsets', [
    move('replicas', 'scale'),
    ...strategy('updateStrategy', ['partition', 'maxUnavailable']),
    within('volumeClaimTemplates', within('spec', ...claimSpec), embedClaim()),
    ...gather(
      ['partition', 'strategy', 'volumeClaimTemplates', 'serviceName', 'revisionHistoryLimit', 'podManagementPolicy'],
      'statefulSetConfig',
    ),
    ...template,
  ]),
  workload('replicaSet', 'apps/v1', 'replicasets', [
    move('replicas', 'scale'),
    move('minReadySeconds', 'replicaSetConfig/minReadySeconds'),
    ...template,
  ]),
  workload('replicationController', 'v1', 'replicationcontrollers', [
    move('replicas', 'scale'),
    move('minReadySeconds', 'replicationControllerConfig/minReadySeconds'),
    ...template,
  ]),
  workload('job', 'batch/v1', 'jobs', jobSpec),
  workload('cronJob', 'batch/v1', 'cronjobs', [
    move('suspend', 'cronJobConfig/suspend'),
    within('jobTemplate', move('metadata', 'jobMetadata'), within('spec', ...jobSpec), embed('spec', jobFields)),
    move('jobTemplate/jobMetadata/labels', 'cronJobConfig/jobLabels'),
    move('jobTemplate/jobMetadata/annotations', 'cronJobConfig/jobAnnotations'),
    within('jobTemplate', drop('jobMetadata')),
    embed('jobTemplate', jobFields),
    ...gather(
      ['schedule', 'startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit', 'jobConfig'],
      'cronJobConfig',
    ),
    move('concurrencyPolicy', 'cronJobConfig/concurrencyPolicy'),
  ]),
];

/** A claim within a stateful set: its name and labels beside what it asks for. */
function embedClaim(): Op {
  const own = ['name', 'labels', 'annotations'];
  const asked = ['accessModes', 'dataSource', 'dataSourceRef', 'resources', 'selector', 'storageClassId', 'volumeId'];
  const spec = embed('spec', [...asked, 'volumeMode', 'volumeAttributesClassName']);
  const metadata = embed('metadata', own);
  return {
    toV3(data) {
      for (const field of ['apiVersion', 'kind', 'status']) delete data[field];
      spec.toV3(data);
      metadata.toV3(data);
    },
    fromV3(data) {
      metadata.fromV3(data);
      spec.fromV3(data);
    },
  };
}
