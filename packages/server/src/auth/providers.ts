/** The sign-in providers there are. */
import { localProvider } from './local-provider.ts';
import type { Provider } from './provider.ts';

export const providers: readonly Provider[] = [localProvider];

/** By its name or its v3 type, as bodies name it. */
export function findProvider(name: string | undefined): Provider | undefined {
  return providers.find(provider => provider.name === name || provider.type === name);
}
