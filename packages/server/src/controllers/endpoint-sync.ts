/** Carries out what an authorized endpoint needs in its cluster, and takes it away again: records by difference, the rest by server-side apply. */
import { ignoreExists, ignoreNotFound, isNotFound, type Resource, until } from '@drover/base';
import {
  clusterAuthTokens,
  clusterUserAttributes,
  customResourceDefinitions,
  daemonSets,
  type KubeClient,
  namespaces,
  type ResourceRef,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
} from '@drover/kube';
import { endpointCrds, endpointObjects } from './endpoint-objects.ts';
import {
  type AuthTokenRecord,
  type EndpointRecords,
  type HashRecord,
  endpointNamespace as namespace,
  type UserRecord,
} from './endpoint-plan.ts';
import { putAll, readMarked, removeRest } from './marked-objects.ts';
import { agentPart, marksOf, maybeOurEndpoint } from './ours.ts';

export interface SyncContext {
  readonly client: KubeClient;
  readonly installUuid: string;
  readonly image: string;
  readonly signal: AbortSignal;
}

/** Makes the cluster hold exactly these; answers what it has of tokens, for when they were used. */
export async function syncEndpoint(records: EndpointRecords, context: SyncContext): Promise<Iterable<AuthTokenRecord>> {
  const { client, installUuid, image, signal } = context;
  await ensureKinds(context);
  const names = records.tokens.map(token => token.metadata.name);
  const options = { fieldManager: 'drover', force: true, signal };
  for (const object of endpointObjects({ installUuid, image, tokens: names })) await client.apply(object, options);
  const read = <R extends Resource>(ref: ResourceRef) => readOurs<R>(context, ref);
  const users = { wanted: records.users, seen: await read<UserRecord>(clusterUserAttributes), installUuid };
  const hashes = { wanted: records.hashes, seen: await read<HashRecord>(secrets), installUuid };
  const seen = await read<AuthTokenRecord>(clusterAuthTokens);
  const tokens = { wanted: records.tokens, seen, installUuid, keeps: ['lastUsedAt'] as const };
  // A token comes last and goes first: what it needs is there for as long as it is.
  await putAll(client, clusterUserAttributes, users);
  await putAll(client, secrets, hashes);
  await putAll(client, clusterAuthTokens, tokens);
  await removeRest(client, clusterAuthTokens, tokens);
  await removeRest(client, secrets, hashes);
  await removeRest(client, clusterUserAttributes, users);
  return seen.values();
}

/** Everything of it that is this install's, the records first: what is asked then knows nobody. */
export async function removeEndpoint(context: SyncContext): Promise<void> {
  const kinds = [
    clusterAuthTokens,
    secrets,
    clusterUserAttributes,
    daemonSets,
    roleBindings,
    roles,
    serviceAccounts,
    customResourceDefinitions,
  ];
  for (const ref of kinds) {
    const seen = await ignoreNotFound(readOurs(context, ref));
    if (seen) await removeRest(context.client, ref, { wanted: [], seen });
  }
}

function readOurs<R extends Resource>(
  { client, installUuid, signal }: SyncContext,
  ref: ResourceRef,
): Promise<Map<string, R>> {
  const where = ref.namespaced ? { namespace } : {};
  return readMarked<R>(client, ref, { labelSelector: maybeOurEndpoint, installUuid, signal, ...where });
}

/** What somebody else brought is used as it is. An agent that runs outside of its cluster has no namespace there. */
async function ensureKinds({ client, installUuid, signal }: SyncContext): Promise<void> {
  const labels = { ...marksOf(installUuid), ...agentPart };
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  await ignoreExists(client.create(namespaces, home, { signal }));
  let isNew = false;
  for (const crd of endpointCrds(installUuid))
    isNew = (await ignoreExists(client.create(customResourceDefinitions, crd, { signal }))) !== undefined || isNew;
  if (!isNew) return;
  for (const ref of [clusterAuthTokens, clusterUserAttributes]) {
    const served = () => client.list(ref, { namespace, limit: 1, signal }).then(() => true);
    await until(`${ref.resource} to be served`, () => served().catch(notYet), { timeoutMs: 20_000, signal });
  }
}

function notYet(error: unknown): false {
  if (isNotFound(error)) return false;
  throw error;
}
