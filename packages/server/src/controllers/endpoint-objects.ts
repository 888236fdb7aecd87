/**
 * What runs in a cluster for its authorized endpoint: kube-api-auth on each control-plane node, with no more rights than it needs.
 * Which secrets it may read is named one by one: the agent's own credentials lie in the same namespace.
 */
import type { Resource } from '@drover/base';
import { endpointNamespace as namespace } from './endpoint-plan.ts';
import { endpointPart, marksOf } from './ours.ts';

type Object_ = Resource & Readonly<Record<string, unknown>>;

const name = 'kube-api-auth';
const rbac = 'rbac.authorization.k8s.io';

export function endpointCrds(installUuid: string): Object_[] {
  return [
    crd('ClusterAuthToken', {
      userName: { type: 'string' },
      enabled: { type: 'boolean' },
      expiresAt: { type: 'string' },
      lastUsedAt: { type: 'string', format: 'date-time' },
      hash: { type: 'string' },
    }),
    crd('ClusterUserAttribute', {
      groups: { type: 'array', items: { type: 'string' } },
      enabled: { type: 'boolean' },
      lastRefresh: { type: 'string' },
      needsRefresh: { type: 'boolean' },
      extraByProvider: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    }),
  ].map(one => ({ ...one, metadata: { ...one.metadata, labels: { ...marksOf(installUuid), ...endpointPart } } }));
}

function crd(kind: string, properties: object): Object_ {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.cluster.cattle.io` },
    spec: {
      group: 'cluster.cattle.io',
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v3', served: true, storage: true, schema }],
    },
  };
}

/** `tokens` are the names of the secrets that it may read; never none, which would mean all. Without an image nothing is run. */
export function endpointObjects(given: {
  readonly installUuid: string;
  readonly image: string;
  readonly tokens: readonly string[];
}): Object_[] {
  const labels = { ...marksOf(given.installUuid), ...endpointPart };
  const metadata = { name, namespace, labels };
  const records = { apiGroups: ['cluster.cattle.io'], verbs: ['get', 'list', 'watch'] };
  if (given.tokens.length === 0) throw new Error('a role that names no secret gives all of them');
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        { ...records, resources: ['clusterauthtokens', 'clusteruserattributes'] },
        { ...records, resources: ['clusterauthtokens'], verbs: ['patch'] },
        { apiGroups: [''], resources: ['secrets'], resourceNames: given.tokens, verbs: ['get'] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    ...(given.image === '' ? [] : [daemonSet(given.image, labels)]),
  ];
}

const controlPlane = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/controlplane'];

function daemonSet(image: string, labels: Readonly<Record<string, string>>): Object_ {
  const app = { app: name };
  const term = (key: string) => ({
    matchExpressions: [
      { key, operator: 'Exists' },
      { key: 'kubernetes.io/os', operator: 'NotIn', values: ['windows'] },
    ],
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels: { ...labels, ...app } },
    spec: {
      selector: { matchLabels: app },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%' } },
      template: {
        metadata: { labels: app },
        spec: {
          serviceAccountName: name,
          // The kube-apiserver asks it on the node's own loopback.
          hostNetwork: true,
          tolerations: [{ operator: 'Exists' }],
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: controlPlane.map(term) },
            },
          },
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name,
              image,
              imagePullPolicy: 'IfNotPresent',
              args: ['kube-api-auth'],
              readinessProbe: { httpGet: { host: '127.0.0.1', path: '/healthcheck', port: 6440 }, periodSeconds: 5 },
              resources: { requests: { cpu: '10m', memory: '64Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}
