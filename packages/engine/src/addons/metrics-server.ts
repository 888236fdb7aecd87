/** metrics-server: what `kubectl top` and autoscalers read, from the kubelets, whose certificates the cluster's CA signed. */
import type { Resource } from '@drover/base';

const labels = { 'k8s-app': 'metrics-server' };
const namespace = 'kube-system';
const rbac = 'rbac.authorization.k8s.io';

export function metricsServerObjects({ image, replicas }: { image: string; replicas: number }): Resource[] {
  const object = (
    apiVersion: string,
    kind: string,
    metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> },
    rest: object = {},
  ) => ({ apiVersion, kind, metadata: { labels, ...metadata }, ...rest }) as Resource;
  const subjects = [{ kind: 'ServiceAccount', name: 'metrics-server', namespace }];
  const roleRef = (kind: string, name: string) => ({ apiGroup: rbac, kind, name });
  return [
    object('v1', 'ServiceAccount', { name: 'metrics-server', namespace }),
    object(
      `${rbac}/v1`,
      'ClusterRole',
      { name: 'system:metrics-server' },
      {
        rules: [
          { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
          { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
        ],
      },
    ),
    object(
      `${rbac}/v1`,
      'ClusterRole',
      {
        name: 'system:aggregated-metrics-reader',
        labels: { ...labels, ...aggregated('view'), ...aggregated('edit'), ...aggregated('admin') },
      },
      { rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }] },
    ),
    object(
      `${rbac}/v1`,
      'ClusterRoleBinding',
      { name: 'system:metrics-server' },
      {
        roleRef: roleRef('ClusterRole', 'system:metrics-server'),
        subjects,
      },
    ),
    object(
      `${rbac}/v1`,
      'ClusterRoleBinding',
      { name: 'metrics-server:system:auth-delegator' },
      {
        roleRef: roleRef('ClusterRole', 'system:auth-delegator'),
        subjects,
      },
    ),
    object(
      `${rbac}/v1`,
      'RoleBinding',
      { name: 'metrics-server-auth-reader', namespace },
      {
        roleRef: roleRef('Role', 'extension-apiserver-authentication-reader'),
        subjects,
      },
    ),
    object(
      'v1',
      'Service',
      { name: 'metrics-server', namespace },
      {
        spec: { selector: labels, ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }] },
      },
    ),
    object(
      'apps/v1',
      'Deployment',
      { name: 'metrics-server', namespace },
      {
        spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(image) } },
      },
    ),
    object(
      'apiregistration.k8s.io/v1',
      'APIService',
      { name: 'v1beta1.metrics.k8s.io' },
      {
        spec: {
          group: 'metrics.k8s.io',
          version: 'v1beta1',
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { name: 'metrics-server', namespace },
        },
      },
    ),
  ];
}

const aggregated = (role: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });

function podSpec(image: string): object {
  return {
    serviceAccountName: 'metrics-server',
    priorityClassName: 'system-cluster-critical',
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'metrics-server',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: [
          '--cert-dir=/tmp',
          '--secure-port=10250',
          '--kubelet-preferred-address-types=InternalIP',
          '--kubelet-use-node-status-port',
          '--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
          '--metric-resolution=15s',
        ],
        resources: { requests: { cpu: '50m', memory: '70Mi' } },
        ports: [{ containerPort: 10250, name: 'https', protocol: 'TCP' }],
        livenessProbe: { httpGet: { path: '/livez', port: 'https', scheme: 'HTTPS' }, periodSeconds: 10 },
        readinessProbe: { httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' }, periodSeconds: 10 },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
}
