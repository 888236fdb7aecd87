/**
 * The objects that an imported cluster gets, as data: nothing is ever pasted into text, so no value can become YAML of
 * its own. Names are those that this ecosystem's tools look for.
 */
import { createHash } from 'node:crypto';
import type { Resource } from '@drover/base';
import { controllerUser } from '../clusters/upstream.ts';
import { agentPart, controllersBinding, marksOf } from '../controllers/ours.ts';

export interface ManifestParts {
  readonly serverUrl: string;
  readonly token: string;
  /** SHA-256 of the CA bundle; empty when the system's roots are right for the server. */
  readonly caChecksum: string;
  readonly agentImage: string;
  /** The key by which the server proves who it is; empty without one. */
  readonly serverKey: string;
  readonly installUuid: string;
  readonly serverVersion: string;
  /** Runs an agent on each node too, for when the cluster's own is away. */
  readonly nodeAgents?: boolean;
}

type Object_ = Resource & Readonly<Record<string, unknown>>;

const namespace = 'cattle-system';
const rbac = 'rbac.authorization.k8s.io';
const app = { app: 'cattle-cluster-agent' };

/** The Secret's name: the same parts give the same one, a new token a new one. */
export function credentialsName({ serverUrl, token }: Pick<ManifestParts, 'serverUrl' | 'token'>): string {
  const digest = createHash('sha256').update(`${serverUrl}.${token}.`).digest('hex');
  return `cattle-credentials-${digest.slice(0, 10)}`;
}

type Labels = Readonly<Record<string, string>>;
const labelsOf = (installUuid: string): Labels => ({ ...marksOf(installUuid), ...agentPart });

export function importManifest(parts: ManifestParts): Object_[] {
  const labels = labelsOf(parts.installUuid);
  const { clusterRole, binding } = rightsMarked(labels);
  return [
    clusterRole('proxy-clusterrole-kubeapiserver', [
      {
        apiGroups: [''],
        resources: ['nodes/metrics', 'nodes/proxy', 'nodes/stats', 'nodes/log', 'nodes/spec'],
        verbs: ['get', 'list', 'watch', 'create'],
      },
    ]),
    binding('proxy-role-binding-kubernetes-master', 'proxy-clusterrole-kubeapiserver', {
      kind: 'User',
      name: 'kube-apiserver',
      apiGroup: rbac,
    }),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'cattle', namespace, labels } },
    binding('cattle-admin-binding', 'cattle-admin', { kind: 'ServiceAccount', name: 'cattle', namespace }),
    credentials(parts, labels),
    ...controllerRights(parts.installUuid),
    deployment(parts, labels),
    ...(parts.nodeAgents ? [nodeAgents(parts, labels)] : []),
    service(labels),
  ];
}

/** What the server's own identity needs in a cluster; all that one needs whose agent runs elsewhere. */
export function controllerRights(installUuid: string): Object_[] {
  const { clusterRole, binding } = rightsMarked(labelsOf(installUuid));
  return [
    clusterRole('cattle-admin', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    // To a role that is always there: another install may take the one above along.
    binding(controllersBinding(installUuid), 'cluster-admin', { kind: 'User', name: controllerUser, apiGroup: rbac }),
  ];
}

function rightsMarked(labels: Labels) {
  const object = (kind: string, name: string, rest: object): Object_ =>
    ({ apiVersion: `${rbac}/v1`, kind, metadata: { name, labels }, ...rest }) as Object_;
  return {
    clusterRole: (name: string, rules: readonly unknown[]) => object('ClusterRole', name, { rules }),
    binding: (name: string, role: string, subject: Readonly<Record<string, string>>) =>
      object('ClusterRoleBinding', name, {
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
        subjects: [subject],
      }),
  };
}

function credentials(parts: ManifestParts, labels: Labels): Object_ {
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: credentialsName(parts), namespace, labels },
    type: 'Opaque',
    data: { url: base64(parts.serverUrl), token: base64(parts.token), namespace: '' },
  };
}

function deployment(parts: ManifestParts, labels: Labels): Object_ {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cattle-cluster-agent', namespace, labels: { ...labels, ...app } },
    spec: {
      selector: { matchLabels: app },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: { metadata: { labels: app }, spec: podSpec(parts) },
    },
  };
}

/** On the node's own network, so that it needs nothing of the cluster's but the kube-apiserver. */
function nodeAgents(parts: ManifestParts, labels: Labels): Object_ {
  const app = { app: 'cattle-agent' };
  const { affinity: _, ...pod } = podSpec(parts);
  const [container] = pod['containers'] as [Record<string, unknown>];
  const probe = (path: string) => ({ httpGet: { host: '127.0.0.1', path, port: 6441 } });
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'cattle-node-agent', namespace, labels: { ...labels, ...app } },
    spec: {
      selector: { matchLabels: app },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
      template: {
        metadata: { labels: app },
        spec: {
          ...pod,
          hostNetwork: true,
          dnsPolicy: 'ClusterFirstWithHostNet',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              ...container,
              name: 'agent',
              args: ['--health', '127.0.0.1:6441'],
              env: [
                ...environment(parts),
                { name: 'DROVER_NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              ],
              ports: [],
              readinessProbe: { ...probe('/readyz'), periodSeconds: 5 },
              livenessProbe: { ...probe('/healthz'), initialDelaySeconds: 10, periodSeconds: 20 },
              resources: { requests: { cpu: '10m', memory: '96Mi' } },
            },
          ],
        },
      },
    },
  };
}

function podSpec(parts: ManifestParts): Readonly<Record<string, unknown>> {
  return {
    serviceAccountName: 'cattle',
    affinity,
    tolerations: [
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/controlplane', value: 'true' },
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/master', operator: 'Exists' },
    ],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
      fsGroup: 65532,
    },
    containers: [
      {
        name: 'cluster-register',
        image: parts.agentImage,
        imagePullPolicy: 'IfNotPresent',
        env: environment(parts),
        ports: [{ name: 'health', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 5 },
        livenessProbe: { httpGet: { path: '/healthz', port: 'health' }, initialDelaySeconds: 10, periodSeconds: 20 },
        resources: { requests: { cpu: '50m', memory: '96Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'cattle-credentials', mountPath: '/cattle-credentials', readOnly: true }],
      },
    ],
    volumes: [{ name: 'cattle-credentials', secret: { secretName: credentialsName(parts), defaultMode: 0o440 } }],
  };
}

function environment(parts: ManifestParts): readonly { readonly name: string; readonly value: string }[] {
  const values = {
    CATTLE_IS_RKE: 'false',
    CATTLE_SERVER: parts.serverUrl,
    CATTLE_CA_CHECKSUM: parts.caChecksum,
    CATTLE_CLUSTER: 'true',
    CATTLE_K8S_MANAGED: 'true',
    CATTLE_CREDENTIAL_NAME: credentialsName(parts),
    CATTLE_SERVER_VERSION: parts.serverVersion,
    CATTLE_INSTALL_UUID: parts.installUuid,
    STRICT_VERIFY: 'true',
    ...(parts.serverKey ? { DROVER_SERVER_KEY: parts.serverKey } : {}),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

const preferredNode = (weight: number, key: string) => ({
  weight,
  preference: { matchExpressions: [{ key, operator: 'In', values: ['true'] }] },
});

const affinity = {
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      preferredNode(100, 'node-role.kubernetes.io/controlplane'),
      preferredNode(100, 'node-role.kubernetes.io/control-plane'),
      preferredNode(1, 'cattle.io/cluster-agent'),
    ],
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'NotIn', values: ['windows'] }] }],
    },
  },
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 100, podAffinityTerm: { labelSelector: { matchLabels: app }, topologyKey: 'kubernetes.io/hostname' } },
    ],
  },
};

function service(labels: Labels): Object_ {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'cattle-cluster-agent', namespace, labels },
    spec: {
      selector: app,
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 80 },
        { name: 'https-internal', port: 443, protocol: 'TCP', targetPort: 444 },
      ],
    },
  };
}

/** The image with the registry before it that the settings name; one that names its registry itself keeps that. */
export function resolveImage(image: string, registry: string): string {
  const first = image.split('/')[0]!;
  const named = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  return registry === '' || named ? image : `${registry.replace(/\/+$/, '')}/${image}`;
}
