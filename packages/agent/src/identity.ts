/** What the agent tells the server about its cluster: which one it is, and what runs there. No credential is in it. */
import { messageOf, type Resource, unavailable } from '@drover/base';
import { type KubeClient, namespaces } from '@drover/kube';

export interface ClusterIdentity {
  /** The UID of the namespace kube-system: the same for as long as the cluster is. */
  readonly clusterUid: string;
  readonly kubernetesVersion: string;
}

/** Throws ServiceUnavailable or what the kube-apiserver refuses with, told as what the agent lacks. */
export async function readIdentity(kube: KubeClient, signal: AbortSignal): Promise<ClusterIdentity> {
  try {
    const [kubeSystem, version] = await Promise.all([
      kube.get<Resource>(namespaces, 'kube-system', { signal }),
      kube.version({ signal }),
    ]);
    return { clusterUid: kubeSystem.metadata.uid ?? '', kubernetesVersion: version.gitVersion };
  } catch (error) {
    if (signal.aborted) throw error;
    throw unavailable(`can't read from the cluster's own API: ${messageOf(error)}`, { cause: error });
  }
}
