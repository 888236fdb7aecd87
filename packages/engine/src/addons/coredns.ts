/** CoreDNS: the names of services and pods, at the address that kubelets give to pods. */
import type { Resource } from '@drover/base';
import type { ClusterSpec } from '../config/spec.ts';

export interface CorednsInput {
  readonly spec: {
    readonly dns: Pick<ClusterSpec['dns'], 'upstreamNameservers' | 'reverseCidrs' | 'stubDomains'>;
    readonly kubelet: Pick<ClusterSpec['kubelet'], 'clusterDnsServer' | 'clusterDomain'>;
    readonly nodes: readonly unknown[];
  };
  readonly image: string;
  /** Whether hosts have a nameserver to pass other names on to. */
  readonly hasUpstream: boolean;
}

const labels = { 'k8s-app': 'kube-dns' };
const namespace = 'kube-system';

/** The Corefile. Pure, for tests. */
export function corefile({ spec, hasUpstream }: Omit<CorednsInput, 'image'>): string {
  const { dns, kubelet } = spec;
  const upstream = dns.upstreamNameservers.length > 0 ? dns.upstreamNameservers.join(' ') : '/etc/resolv.conf';
  const forward = dns.upstreamNameservers.length > 0 || hasUpstream ? [`    forward . ${upstream}`] : [];
  const reverse = dns.reverseCidrs.length > 0 ? dns.reverseCidrs.join(' ') : 'in-addr.arpa ip6.arpa';
  const stubs = Object.entries(dns.stubDomains).map(
    ([domain, servers]) => `${domain}:53 {\n    errors\n    cache 30\n    forward . ${servers.join(' ')}\n}\n`,
  );
  const main = [
    '.:53 {',
    '    errors',
    '    health {',
    '      lameduck 5s',
    '    }',
    '    ready',
    `    kubernetes ${kubelet.clusterDomain} ${reverse} {`,
    '      pods insecure',
    '      fallthrough in-addr.arpa ip6.arpa',
    '    }',
    '    prometheus :9153',
    ...forward,
    '    cache 30',
    '    loop',
    '    reload',
    '    loadbalance',
    '}',
    '',
  ].join('\n');
  return [main, ...stubs].join('');
}

export function corednsObjects(input: CorednsInput): Resource[] {
  const { spec, image } = input;
  const replicas = spec.nodes.length > 1 ? 2 : 1;
  const named = (apiVersion: string, kind: string, rest: object, name = 'coredns') =>
    ({ apiVersion, kind, metadata: { name, namespace, labels }, ...rest }) as Resource;
  const clusterWide = (kind: string, rest: object) =>
    ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { name: 'system:coredns', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
      ...rest,
    }) as Resource;
  return [
    named('v1', 'ServiceAccount', {}),
    clusterWide('ClusterRole', {
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    }),
    clusterWide('ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
    }),
    named('v1', 'ConfigMap', { data: { Corefile: corefile(input) } }),
    named(
      'v1',
      'Service',
      {
        spec: {
          selector: labels,
          clusterIP: spec.kubelet.clusterDnsServer,
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
            { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
            { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
          ],
        },
      },
      'kube-dns',
    ),
    named('apps/v1', 'Deployment', {
      spec: {
        replicas,
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
        template: { metadata: { labels }, spec: podSpec(image) },
      },
    }),
  ];
}

function podSpec(image: string): object {
  return {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    tolerations: [{ operator: 'Exists' }],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } },
          },
        ],
      },
    },
    containers: [
      {
        name: 'coredns',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: ['-conf', '/etc/coredns/Corefile'],
        resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
        ports: [
          { containerPort: 53, name: 'dns', protocol: 'UDP' },
          { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
          { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
        ],
        livenessProbe: {
          httpGet: { path: '/health', port: 8080 },
          initialDelaySeconds: 30,
          timeoutSeconds: 5,
          failureThreshold: 5,
        },
        readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 2 },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
  };
}
