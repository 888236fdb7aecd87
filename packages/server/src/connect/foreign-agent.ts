/**
 * An unmodified agent of this ecosystem hands over its service account's token, which may do everything. It is used once,
 * to make an identity that may do nothing but impersonate, and only that one's token is kept: a lost header ends in 403.
 */
import type { Cluster, SecretResource } from '@drover/api';
import { ignoreNotFound, internal, type Resource } from '@drover/base';
import { type Connection, KubeClient, namespaces } from '@drover/kube';
import type { TunnelServer } from '@drover/tunnel';
import { controllerUser } from '../clusters/upstream.ts';
import { credentialNamespace } from '../clusters/upstreams.ts';
import { agentPart, controllersBinding, marksOf } from '../controllers/ours.ts';
import type { Resources } from '../resources/index.ts';
import type { AgentParams } from './params.ts';
import { requireSameCluster } from './registration.ts';

type ForeignParams = Extract<AgentParams, { readonly kind: 'rancher' }>;

export interface ForeignDeps {
  readonly resources: Resources;
  readonly tunnels: Pick<TunnelServer, 'dialer' | 'closeClient' | 'waitFor'>;
  /** Reads a setting; empty where it is not set. */
  readonly setting: (name: string) => string;
}

const namespace = 'cattle-system';
const account = 'drover-impersonator';
const rbac = 'rbac.authorization.k8s.io';
/** What is asked for; a cluster may give less. */
const tokenSeconds = 365 * 24 * 3600;

export const credentialName = (clusterId: string): string => `cluster-serviceaccounttoken-${clusterId}`;

/** Takes the cluster in through its own tunnel. A cluster that is not the one that registered before is cut off. */
export async function adoptForeign(deps: ForeignDeps, cluster: Cluster, params: ForeignParams): Promise<void> {
  const clusterId = cluster.metadata.name;
  await deps.tunnels.waitFor(clusterId, { timeoutMs: 15_000 });
  const connection: Connection = {
    server: `https://${params.address}`,
    ca: Buffer.from(params.caCert, 'base64').toString('utf8'),
    token: params.token,
    dialer: deps.tunnels.dialer(clusterId),
  };
  await using kube = new KubeClient(connection, { timeoutMs: 15_000 });
  const kubeSystem = await kube.get<Resource>(namespaces, 'kube-system');
  const uid = kubeSystem.metadata.uid ?? '';
  try {
    requireSameCluster(cluster, uid);
  } catch (error) {
    deps.tunnels.closeClient(clusterId, 'another cluster than the one that registered before');
    throw error;
  }
  for (const object of impersonator(deps.setting('install-uuid')))
    await kube.apply(object, { fieldManager: 'drover', force: true });
  await keepToken(deps.resources, clusterId, await requestToken(kube));
  await deps.resources.modify('cluster', { name: clusterId }, seen => withEndpoint(seen, params, uid));
}

/** Renews the token that is kept, as the controllers. Resolves with the ms until the next time. */
export async function renewForeign(
  resources: Resources,
  cluster: Cluster,
  connection: Connection,
): Promise<number | undefined> {
  const name = cluster.status?.serviceAccountTokenSecret;
  if (!name) return undefined;
  const secret = await resources.find('secret', name, credentialNamespace);
  const left = Date.parse(secret?.stringData?.['expiresAt'] ?? '') - Date.now();
  const whole = Number(secret?.stringData?.['lifetimeMs'] ?? 0);
  if (left > whole / 3) return Math.min(left - whole / 3, 24 * 3600_000);
  await using kube = new KubeClient(connection, { timeoutMs: 15_000 });
  await keepToken(resources, cluster.metadata.name, await requestToken(kube));
  return 60_000;
}

function withEndpoint(cluster: Cluster, params: ForeignParams, uid: string): Cluster {
  requireSameCluster(cluster, uid);
  const { agentVersion: _, ...kept } = cluster.status ?? {};
  const status = {
    ...kept,
    driver: kept.driver || 'imported',
    clusterUid: uid,
    apiEndpoint: `https://${params.address}`,
    caCert: params.caCert,
    serviceAccountTokenSecret: credentialName(cluster.metadata.name),
  };
  return { ...cluster, status };
}

interface IssuedToken {
  readonly token: string;
  readonly expiresAt: string;
}

async function requestToken(kube: KubeClient): Promise<IssuedToken> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: tokenSeconds },
  };
  const { status } = await kube.request<{ status?: { token?: string; expirationTimestamp?: string } }>('POST', path, {
    body,
  });
  if (!status?.token || !status.expirationTimestamp)
    throw internal(`the cluster gave no token for the service account ${namespace}/${account}`);
  return { token: status.token, expiresAt: status.expirationTimestamp };
}

async function keepToken(resources: Resources, clusterId: string, issued: IssuedToken): Promise<void> {
  const place = { name: credentialName(clusterId), namespace: credentialNamespace };
  const stringData = {
    credential: issued.token,
    expiresAt: issued.expiresAt,
    lifetimeMs: String(Date.parse(issued.expiresAt) - Date.now()),
  };
  const metadata = { ...place, labels: { 'cattle.io/cluster': clusterId } };
  const there = await ignoreNotFound(
    resources.modify('secret', place, (seen: SecretResource) => ({ ...seen, stringData })),
  );
  if (!there) await resources.create('secret', { metadata, type: 'Opaque', stringData });
}

/** The identity whose token is kept, and the right of our controllers to be impersonated to some effect. */
function impersonator(installUuid: string): Resource[] {
  const labels = { ...marksOf(installUuid), ...agentPart };
  const roleRef = (name: string) => ({ apiGroup: rbac, kind: 'ClusterRole', name });
  const object = (apiVersion: string, kind: string, rest: Readonly<Record<string, unknown>>) =>
    ({ apiVersion, kind, ...rest }) as unknown as Resource;
  return [
    object('v1', 'Namespace', { metadata: { name: namespace } }),
    object('v1', 'ServiceAccount', { metadata: { name: account, namespace, labels } }),
    object(`${rbac}/v1`, 'ClusterRole', {
      metadata: { name: account, labels },
      rules: [
        { apiGroups: [''], resources: ['users', 'groups', 'serviceaccounts'], verbs: ['impersonate'] },
        // Extras are resources of their own each, which no pattern but this one takes together.
        { apiGroups: ['authentication.k8s.io'], resources: ['*'], verbs: ['impersonate'] },
      ],
    }),
    object(`${rbac}/v1`, 'ClusterRoleBinding', {
      metadata: { name: account, labels },
      roleRef: roleRef(account),
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    }),
    object(`${rbac}/v1`, 'ClusterRoleBinding', {
      metadata: { name: controllersBinding(installUuid), labels },
      roleRef: roleRef('cluster-admin'),
      subjects: [{ kind: 'User', name: controllerUser, apiGroup: rbac }],
    }),
  ];
}
