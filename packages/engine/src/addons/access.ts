/** What the cluster's own components may do beyond what Kubernetes gives them from the start. */
import type { Resource } from '@drover/base';

const rbac = 'rbac.authorization.k8s.io';

export function accessObjects(): Resource[] {
  const binding = (name: string, role: string, user: string): Resource & Record<string, unknown> => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  });
  const role = (name: string, rules: readonly object[]): Resource & Record<string, unknown> => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules,
  });
  return [
    // Logs, exec and metrics: what the API server asks kubelets for.
    binding('drover:kube-apiserver-to-kubelets', 'system:kubelet-api-admin', 'kube-apiserver'),
    role('drover:network', [
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
      // flanneld notes on its node how the others reach it.
      { apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch'] },
    ]),
    binding('drover:network', 'drover:network', 'system:drover:network'),
  ];
}
