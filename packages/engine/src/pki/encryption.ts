/**
 * Secrets at rest in etcd: the EncryptionConfiguration that API servers read. Once there, its keys stay readable for as long as anything
 * may be encrypted by them.
 */
import { randomBytes } from 'node:crypto';
import type { ClusterSpec } from '../config/spec.ts';

interface Configuration {
  readonly resources: readonly { readonly providers: readonly Readonly<Record<string, unknown>>[] }[];
}

/** The text for this cluster, or undefined where there has never been one. */
export function encryptionFor(spec: ClusterSpec, kept: string | undefined): string | undefined {
  const { enabled, customConfig } = spec.apiserver.secretsEncryption;
  if (customConfig !== undefined) return `${JSON.stringify(customConfig, undefined, 2)}\n`;
  if (!enabled) return kept && withIdentity(kept, 'first');
  return kept ? withIdentity(kept, 'last') : withKeys([{ name: 'key1', secret: randomBytes(32).toString('base64') }]);
}

function withKeys(keys: readonly { name: string; secret: string }[]): string {
  const providers = [{ aescbc: { keys } }, { identity: {} }];
  const resources = [{ resources: ['secrets'], providers }];
  return `${JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources }, undefined, 2)}\n`;
}

/** The first provider writes, all of them read. */
function withIdentity(text: string, where: 'first' | 'last'): string {
  const parsed = JSON.parse(text) as Configuration;
  const resources = parsed.resources.map(resource => {
    const others = resource.providers.filter(provider => !('identity' in provider));
    return {
      ...resource,
      providers: where === 'first' ? [{ identity: {} }, ...others] : [...others, { identity: {} }],
    };
  });
  return `${JSON.stringify({ ...parsed, resources }, undefined, 2)}\n`;
}
