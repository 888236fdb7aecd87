/**
 * Principals as their provider writes them. A directory takes a distinguished name in any spelling; here and in clusters names are
 * compared letter by letter, so what somebody typed is kept as the directory itself says it, where it can be asked.
 */
import { StatusError } from '@drover/base';
import type { Caches } from '../resources/index.ts';
import { readConfig } from './auth-configs.ts';
import type { ProviderConfig } from './configured-provider.ts';
import { findConfigured } from './providers.ts';

/** The id in its provider's spelling; as it is where that provider is off, knows none like it, or can't be asked now. */
export async function principalAsWritten(caches: Caches, id: string): Promise<string> {
  const config = readConfig(caches, id.slice(0, Math.max(0, id.indexOf('_'))));
  return config?.enabled ? ((await askFor(config, id)) ?? id) : id;
}

/** The configuration with those whom it lets in as it writes them itself; those in `before` are so already. */
export async function allowedAsWritten(config: ProviderConfig, before: readonly string[]): Promise<ProviderConfig> {
  const known = new Set(before);
  const allowed: string[] = [];
  let isAnswering = true;
  for (const id of config.allowedPrincipalIds) {
    const isNew = id.startsWith(`${config.name}_`) && !known.has(id);
    const written = isAnswering && isNew ? await askFor(config, id) : id;
    if (written === undefined) isAnswering = false;
    allowed.push(written ?? id);
  }
  return { ...config, allowedPrincipalIds: [...new Set(allowed)] };
}

/** Undefined where it can't be asked now. */
async function askFor(config: ProviderConfig, id: string): Promise<string | undefined> {
  const provider = findConfigured(config.name);
  if (!provider?.takesAnySpelling || !provider.find) return id;
  try {
    return (await provider.find(config, id))?.id ?? id;
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}
