/** Carries out what an authorized endpoint needs in its cluster, and takes it away again: records by difference, the rest by server-side apply. */
import { ignoreNotFound, isAlreadyExists, isNotFound, type Resource, until } from '@drover/base';
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
import { type AuthTokenRecord, type EndpointRecords, endpointNamespace as namespace } from './endpoint-plan.ts';
import { agentPart, isOurs, marksOf, maybeOurEndpoint } from './ours.ts';

export interface SyncContext {
  readonly client: KubeClient;
  readonly installUuid: string;
  readonly image: string;
  readonly signal: AbortSignal;
}

/** Makes the cluster hold exactly these; answers what it has of tokens, for when they were used. */
export async function syncEndpoint(
  records: EndpointRecords,
  context: SyncContext,
): Promise<ReadonlyMap<string, AuthTokenRecord>> {
  const { client, installUuid, image, signal } = context;
  await ensureKinds(context);
  const tokens = records.tokens.map(token => token.metadata.name);
  const options = { fieldManager: 'drover', force: true, signal };
  for (const object of endpointObjects({ installUuid, image, tokens })) await client.apply(object, options);
  const seen = {
    users: await read<Resource>(context, clusterUserAttributes),
    hashes: await read<Resource>(context, secrets),
    tokens: await read<AuthTokenRecord>(context, clusterAuthTokens),
  };
  // A token comes last and goes first: what it needs is there for as long as it is.
  await putAll(client, clusterUserAttributes, records.users, seen.users);
  await putAll(client, secrets, records.hashes, seen.hashes);
  await putAll(client, clusterAuthTokens, records.tokens, seen.tokens);
  await removeRest(client, clusterAuthTokens, records.tokens, seen.tokens);
  await removeRest(client, secrets, records.hashes, seen.hashes);
  await removeRest(client, clusterUserAttributes, records.users, seen.users);
  return seen.tokens;
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
    const seen = await ignoreNotFound(read<Resource>(context, ref));
    if (seen) await removeRest(context.client, ref, [], seen);
  }
}

/** What somebody else brought is used as it is. An agent that runs outside of its cluster has no namespace there. */
async function ensureKinds({ client, installUuid, signal }: SyncContext): Promise<void> {
  const labels = { ...marksOf(installUuid), ...agentPart };
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  await makeIfMissing(client.create(namespaces, home, { signal }));
  const made = [];
  for (const crd of endpointCrds(installUuid))
    made.push(await makeIfMissing(client.create(customResourceDefinitions, crd, { signal })));
  if (!made.includes(true)) return;
  for (const ref of [clusterAuthTokens, clusterUserAttributes]) {
    const served = () => client.list(ref, { namespace, limit: 1, signal }).then(() => true);
    await until(`${ref.resource} to be served`, () => served().catch(notYet), { timeoutMs: 20_000, signal });
  }
}

/** Whether it was made now. */
function makeIfMissing(making: Promise<unknown>): Promise<boolean> {
  return making.then(
    () => true,
    error => {
      if (isAlreadyExists(error)) return false;
      throw error;
    },
  );
}

function notYet(error: unknown): false {
  if (isNotFound(error)) return false;
  throw error;
}

async function read<R extends Resource>(
  { client, installUuid, signal }: SyncContext,
  ref: ResourceRef,
): Promise<Map<string, R>> {
  const found = new Map<string, R>();
  const where = ref.namespaced ? { namespace } : {};
  for await (const item of client.listAll<R>(ref, { ...where, labelSelector: maybeOurEndpoint, signal }))
    if (isOurs(item, installUuid)) found.set(item.metadata.name, item);
  return found;
}

async function putAll<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  wanted: readonly R[],
  seen: ReadonlyMap<string, Resource>,
): Promise<void> {
  for (const one of wanted) {
    const before = seen.get(one.metadata.name) as R | undefined;
    if (!before) {
      // One of that name that is not ours stays: the token of that name is of no use in this cluster.
      await makeIfMissing(client.create(ref, one));
    } else if (!holds(before, one)) {
      const { resourceVersion } = before.metadata;
      await client.update(ref, { ...before, ...one, metadata: { ...one.metadata, resourceVersion } });
    }
  }
}

/** Whether it has all that is wanted; what the cluster added, such as when a token was used, may stay. */
function holds(before: Resource, wanted: Resource): boolean {
  const { apiVersion: _, kind: __, metadata: ___, ...fields } = wanted as Resource & Record<string, unknown>;
  const seen = before as Resource & Record<string, unknown>;
  return Object.entries(fields).every(([name, value]) => JSON.stringify(seen[name]) === JSON.stringify(value));
}

async function removeRest(
  client: KubeClient,
  ref: ResourceRef,
  wanted: readonly Resource[],
  seen: ReadonlyMap<string, Resource>,
): Promise<void> {
  const kept = new Set(wanted.map(one => one.metadata.name));
  for (const { metadata } of seen.values()) {
    if (kept.has(metadata.name)) continue;
    const { name, uid } = metadata;
    const where = ref.namespaced ? { namespace } : {};
    await ignoreNotFound(
      client.delete(ref, name, { ...where, preconditions: { uid }, propagationPolicy: 'Background' }),
    );
  }
}
