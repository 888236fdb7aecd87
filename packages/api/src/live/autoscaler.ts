/**
 * Horizontal pod autoscaler: what it scales is a workload's id in v3, and each metric's target and name stand at one place,
 * whichever kind of metric it is.
 */
import { liveType } from './live-type.ts';
import { annotation, type Data, embed, isData, move, type Op, put, take, valueAt, within } from './ops.ts';

const apiVersions: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  ReplicationController: 'v1',
};

/** Needs the namespace, which stands beside the spec. */
const target: Op = {
  toV3(data) {
    const ref = take(data, ['scaleTargetRef']);
    if (!isData(ref)) return;
    const kind = String(ref['kind']);
    data['workloadId'] =
      `${kind[0]?.toLowerCase()}${kind.slice(1)}:${String(data['namespaceId'])}:${String(ref['name'])}`;
  },
  fromV3(data) {
    const id = take(data, ['workloadId']);
    if (typeof id !== 'string') return;
    const [type = '', , name = ''] = id.split(':');
    const kind = `${type[0]?.toUpperCase() ?? ''}${type.slice(1)}`;
    data['scaleTargetRef'] = { apiVersion: apiVersions[kind] ?? 'apps/v1', kind, name };
  },
};

const targetWords = move('averageUtilization', 'utilization');
const sources: Readonly<Record<string, string>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
};

const metric: Op = {
  toV3(data) {
    const source = take(data, [sources[String(data['type'])] ?? '']);
    if (!isData(source)) return;
    const { target: wanted, metric: named, ...rest } = source;
    if (isData(wanted)) targetWords.toV3(wanted);
    Object.assign(data, rest, isData(named) ? named : {}, wanted === undefined ? {} : { target: wanted });
  },
  fromV3(data) {
    const field = sources[String(data['type'])];
    delete data['current'];
    if (!field) return;
    const { type, target: wanted, name, selector, describedObject, ...others } = data;
    for (const key of Object.keys(data)) delete data[key];
    if (isData(wanted)) targetWords.fromV3(wanted);
    const named = field === 'resource' ? { name } : { metric: { name, ...(selector ? { selector } : {}) } };
    const source: Data = { ...named, target: wanted, ...(describedObject ? { describedObject } : {}) };
    Object.assign(data, { type, ...others, [field]: source });
  },
};

/** Each metric with what it was last seen at: the status lists them in the same order. */
const current: Op = {
  toV3(data) {
    const seen = valueAt(data, 'status', 'currentMetrics');
    const metrics = data['metrics'];
    if (!Array.isArray(seen) || !Array.isArray(metrics)) return;
    seen.forEach((status, i) => {
      const found = isData(status) && valueAt(status, sources[String(status['type'])] ?? '', 'current');
      if (!isData(found) || !isData(metrics[i])) return;
      targetWords.toV3(found);
      put(metrics[i], ['current'], found);
    });
    take(data, ['status', 'currentMetrics']);
  },
  fromV3() {},
};

export const autoscaler = liveType({
  id: 'horizontalPodAutoscaler',
  context: 'project',
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
  spec: [within('metrics', metric)],
  ops: [target, current, embed('status', []), annotation('description')],
});
