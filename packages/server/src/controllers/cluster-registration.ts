/**
 * cluster-registration: gives every cluster a registration token, and every token its secret part. A token whose time is
 * over is replaced; where an agent lives by it, only once the new one has been put into that agent's cluster.
 */
import type { ClusterRegistrationToken } from '@drover/api';
import { ignoreExists, isNotFound, isUnavailable, type Resource } from '@drover/base';
import { KubeClient, secrets } from '@drover/kube';
import { defaultTokenName, rotated, tokenSecretName, tokenTimes } from '../clusters/registration-token.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { localClusterId } from '../clusters/upstreams.ts';
import { type Controller, type ControllerContext, controller } from '../resources/index.ts';
import { agentPart } from './ours.ts';

/** Makes sure that a cluster has a token to register with. */
export const clusterRegistration: Controller<'cluster'> = controller({
  name: 'cluster-registration',
  for: 'cluster',
  async reconcile(cluster, { resources, caches }) {
    const clusterId = cluster.metadata.name;
    if (clusterId === localClusterId || caches.clusterRegistrationToken.get(defaultTokenName, clusterId))
      return undefined;
    await ignoreExists(
      resources.create('clusterRegistrationToken', {
        metadata: { name: defaultTokenName, namespace: clusterId },
        spec: { clusterName: clusterId },
      }),
    );
    return undefined;
  },
});

export interface RegistrationTokenDeps {
  readonly upstreams: Upstreams;
  readonly setting: (name: string) => string;
  readonly now?: () => number;
}

/** Makes, expires and replaces the secret part of registration tokens. */
export function registrationTokenRotation(deps: RegistrationTokenDeps): Controller<'clusterRegistrationToken'> {
  const now = deps.now ?? Date.now;
  return controller({
    name: 'registration-token-rotation',
    for: 'clusterRegistrationToken',
    watches: { setting: (_, { caches }) => [...caches.clusterRegistrationToken.all()].map(keyOfToken) },
    async reconcile(crt, context) {
      const { name, namespace = '' } = crt.metadata;
      const secretName = tokenSecretName(name);
      const times = tokenTimes(crt, deps.setting);
      const secret = await context.resources.find('secret', secretName, namespace);
      if (!secret) {
        const stringData = rotated(undefined, times, now());
        const labels = { 'cattle.io/cluster': namespace };
        await context.resources.create('secret', { metadata: { name: secretName, namespace, labels }, stringData });
        await writeStatus(crt, stringData, context);
        return nextLook(stringData, now());
      }
      const { expiresAt } = secret.stringData ?? {};
      if (!expiresAt || Date.parse(expiresAt) > now()) {
        await writeStatus(crt, secret.stringData ?? {}, context);
        return nextLook(secret.stringData ?? {}, now());
      }
      const stringData = rotated(secret.stringData, times, now());
      const registered = Boolean(context.caches.cluster.get(namespace)?.status?.clusterUid);
      if (registered && !(await deliver(deps.upstreams, namespace, stringData['token']!, context.signal)))
        return { after: 60_000 };
      await context.resources.modify('secret', { name: secretName, namespace }, seen =>
        seen.metadata.resourceVersion === secret.metadata.resourceVersion ? { ...seen, stringData } : undefined,
      );
      await writeStatus(crt, stringData, context);
      return nextLook(stringData, now());
    },
    async finalize(crt, { resources }) {
      const { name, namespace } = crt.metadata;
      await resources.delete('secret', { name: tokenSecretName(name), namespace }).catch(error => {
        if (!isNotFound(error)) throw error;
      });
      return undefined;
    },
  });
}

const keyOfToken = (crt: ClusterRegistrationToken) => `${crt.metadata.namespace}/${crt.metadata.name}`;

function nextLook(stringData: Readonly<Record<string, string>>, now: number): { readonly after: number } | undefined {
  const until = Date.parse(stringData['expiresAt'] ?? '');
  // Timers take 31 bits of ms.
  return Number.isNaN(until) ? undefined : { after: Math.min(Math.max(until - now, 1000), 24 * 3600_000) };
}

async function writeStatus(
  crt: ClusterRegistrationToken,
  { expiresAt, gracePeriodExpiresAt }: Readonly<Record<string, string>>,
  { resources }: ControllerContext,
): Promise<void> {
  const { name, namespace } = crt.metadata;
  const tokenSecretName_ = tokenSecretName(name);
  await resources.modify('clusterRegistrationToken', { name, namespace }, seen => {
    const old = seen.status;
    if (
      old?.tokenSecretName === tokenSecretName_ &&
      (old.expiresAt ?? undefined) === expiresAt &&
      (old.gracePeriodExpiresAt ?? undefined) === gracePeriodExpiresAt
    )
      return undefined;
    return { ...seen, status: { tokenSecretName: tokenSecretName_, expiresAt, gracePeriodExpiresAt } };
  });
}

/** Puts the new token where the cluster's agent reads it; answers whether that could be done now. */
async function deliver(upstreams: Upstreams, clusterId: string, token: string, signal: AbortSignal): Promise<boolean> {
  try {
    await using kube = new KubeClient(upstreams.connection(clusterId));
    const [label, value] = Object.entries(agentPart)[0]!;
    const found = await kube.list<Resource>(secrets, {
      namespace: 'cattle-system',
      labelSelector: `${label}=${value}`,
      signal,
    });
    const data = { token: Buffer.from(token).toString('base64') };
    for (const { metadata } of found.items) {
      if (metadata.name.startsWith('cattle-credentials-'))
        await kube.patch(secrets, metadata.name, { data }, { type: 'merge', namespace: 'cattle-system', signal });
    }
    return true;
  } catch (error) {
    if (isUnavailable(error)) return false;
    throw error;
  }
}
