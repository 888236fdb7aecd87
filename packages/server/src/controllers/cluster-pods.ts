/**
 * What is kept of a cluster's pods: where each runs and what it asks for. Surprise: most pods of a cluster ask for the same
 * as others, and all of those share one object, so that tens of thousands fit into little memory.
 */
import { type PodFigures, type PodResource, podFigures } from '@drover/kube';

/** A pod as it comes, and as it is kept: then it has figures, and of its spec the node only. */
export type KeptPod = PodResource & { readonly figures?: PodFigures };

/** Forgotten when there are more: then the next ones of a kind share a new object. */
const mostKinds = 4096;

/** Makes the transform of one cluster's cache. Pods that have ended or run nowhere yet count nothing and are not kept. */
export function keepPods(): (pod: KeptPod) => KeptPod | undefined {
  const kinds = new Map<string, PodFigures>();
  return pod => {
    const figures = pod.spec?.nodeName ? podFigures(pod) : undefined;
    if (!figures) return undefined;
    const text = JSON.stringify(figures);
    let shared = kinds.get(text);
    if (!shared) {
      if (kinds.size >= mostKinds) kinds.clear();
      kinds.set(text, (shared = figures));
    }
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, uid, resourceVersion },
      spec: { nodeName: pod.spec!.nodeName },
      figures: shared,
    } as KeptPod;
  };
}

export function figuresOf(pods: readonly KeptPod[]): PodFigures[] {
  return pods.flatMap(({ figures }) => figures ?? []);
}
