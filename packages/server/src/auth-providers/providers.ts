/** The providers that an authConfig switches on, in the order in which they are shown. */
import { directoryProviders } from '../directories/index.ts';
import type { ConfiguredProvider } from './configured-provider.ts';
import { redirectProviders } from './redirect-providers.ts';

export const configuredProviders: readonly ConfiguredProvider[] = [...directoryProviders, ...redirectProviders];

export function findConfigured(name: string): ConfiguredProvider | undefined {
  return configuredProviders.find(provider => provider.name === name);
}
