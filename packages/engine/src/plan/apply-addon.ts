/** Keeping addons in a cluster: applied as a whole, remembered in a ConfigMap each, so that what is no part of one any more goes. */
import { ignoreNotFound, internal, isConflict, isNotFound, messageOf, type Resource } from '@drover/base';
import { applyManifest, configMaps, deleteManifest, type KubeClient, secrets } from '@drover/kube';
import { type Addon, addonDigest, addonLabel, digestAnnotation, secretsMemory } from './addon.ts';

/** Objects first, the memory of them last: an apply that breaks off is done again. What the last one had and this one hasn't goes. */
export async function applyAddon(addon: Addon, client: KubeClient, signal: AbortSignal | undefined): Promise<void> {
  const before = await rememberedObjects(addon.name, client, signal);
  await applyManifest(client, addon.resources, { fieldManager: 'drover-engine', signal });
  const idOf = ({ apiVersion, kind, metadata }: Addon['resources'][number]) =>
    [apiVersion, kind, metadata.namespace, metadata.name].join('/');
  const kept = new Set(addon.resources.map(idOf));
  await deleteManifest(
    client,
    before.filter(resource => !kept.has(idOf(resource))),
    { signal },
  );
  const identities = addon.resources.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  }));
  const data = { objects: JSON.stringify(identities) };
  await remember(client, { name: addon.name, digest: addonDigest(addon), data }, signal);
}

/** Each Secret is written as it is, by the key that is the first one now. */
export async function rewriteSecrets(
  client: KubeClient,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const secret of client.listAll(secrets, { limit: 250, signal })) {
    try {
      await client.update(secrets, secret, { signal });
    } catch (error) {
      // Somebody else has just written it, or taken it away: by the new key, then.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
  await remember(client, { name: secretsMemory, digest, data: {} }, signal);
}

/** Keeps a word about what was done, in the cluster itself. */
export async function remember(
  client: KubeClient,
  { name, digest, data }: { name: string; digest: string; data: Readonly<Record<string, string>> },
  signal: AbortSignal | undefined,
): Promise<void> {
  const metadata = {
    name,
    namespace: 'kube-system',
    labels: { [addonLabel]: 'true' },
    annotations: { [digestAnnotation]: digest },
  };
  await client.patch(
    configMaps,
    name,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    {
      type: 'apply',
      namespace: 'kube-system',
      fieldManager: 'drover-engine',
      force: true,
      signal,
    },
  );
}

export async function withdrawAddon(name: string, client: KubeClient, signal: AbortSignal | undefined): Promise<void> {
  await deleteManifest(client, await rememberedObjects(name, client, signal), { signal });
  await ignoreNotFound(client.delete(configMaps, name, { namespace: 'kube-system', signal }));
}

interface Memory extends Resource {
  readonly data?: { readonly objects?: string };
}

async function rememberedObjects(name: string, client: KubeClient, signal: AbortSignal | undefined) {
  const memory = await ignoreNotFound(client.get<Memory>(configMaps, name, { namespace: 'kube-system', signal }));
  const text = memory?.data?.objects ?? '[]';
  try {
    const objects = JSON.parse(text) as Addon['resources'];
    return [...objects];
  } catch (error) {
    throw internal(`ConfigMap kube-system/${name} was changed by somebody: ${messageOf(error)}`);
  }
}
