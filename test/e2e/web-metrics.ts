/** The metrics server's kinds, kept by the kube-apiserver itself: what is written is what was measured. */
import type { World } from './web-world.ts';

const apiVersion = 'metrics.k8s.io/v1beta1';

/** Lets the cluster of the world measure; answers once it takes samples. */
export async function openMetrics({ apply, kubectl }: World): Promise<void> {
  await apply(metricsKind('nodes', 'NodeMetrics', 'Cluster'), metricsKind('pods', 'PodMetrics', 'Namespaced'));
  for (const name of ['nodes', 'pods'])
    await kubectl('wait', '--for=condition=Established', `crd/${name}.metrics.k8s.io`, '--timeout=60s');
}

export const nodeSample = (name: string, cpu: string, memory: string): object => ({
  apiVersion,
  kind: 'NodeMetrics',
  metadata: { name },
  usage: { cpu, memory },
});

/** Of a pod `NAME-7f-x1` that a Deployment `NAME` runs. */
export const podSample = (
  { namespace, workload }: { readonly namespace: string; readonly workload: string },
  cpu: string,
  memory: string,
): object => ({
  apiVersion,
  kind: 'PodMetrics',
  metadata: { name: `${workload}-7f-x1`, namespace, labels: { 'pod-template-hash': '7f' } },
  containers: [{ name: workload, usage: { cpu, memory } }],
});

function metricsKind(plural: string, kind: string, scope: string): object {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.metrics.k8s.io`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for the metrics server' },
    },
    spec: {
      group: 'metrics.k8s.io',
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
