/** What an identity provider shows to keep users and groups here: one token for each provider, of which a hash is kept. */
import { hashKey, makeKey, matchesKey, Secret } from '@drover/base';
import type { Resources } from '../resources/index.ts';

const namespace = 'cattle-scim-tokens';

/** Makes a new one; the one before is good for nothing from then on. */
export async function renewScimToken(resources: Resources, provider: string): Promise<Secret> {
  const key = makeKey();
  const metadata = { namespace, name: provider };
  const stringData = { hash: hashKey(key) };
  await resources.put('secret', { metadata, type: 'Opaque', stringData }, seen => ({ ...seen, stringData }));
  return new Secret(`scim-${provider}:${key}`);
}

/** Whether the header shows the provider's token. */
export async function showsScimToken(
  resources: Resources,
  provider: string,
  header: string | undefined,
): Promise<boolean> {
  const shown = /^Bearer scim-([a-z0-9-]{1,63}):([a-z0-9]{1,128})$/i.exec(header ?? '');
  if (shown?.[1] !== provider) return false;
  const secret = await resources.find('secret', provider, namespace);
  return matchesKey(secret?.stringData?.['hash'], shown[2]!);
}
