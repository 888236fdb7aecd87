/** Ids of principals: `PROVIDER_KIND://NAME`, with the providers that there are; whether one can mean anybody at all. */
import { isGoodName } from './identity.ts';
import { findConfigured } from './providers.ts';

const form = /^([a-z]+)_(user|group|org|team):\/\/(.+)$/s;
/** Everybody who has signed in, whoever vouched for him. */
const everybody: ReadonlySet<string> = new Set(['system:authenticated', 'system:cattle:authenticated']);

export function isUserPrincipal(id: string): boolean {
  return id.startsWith('local://') || kindOf(id) === 'user';
}

export function isGroupPrincipal(id: string): boolean {
  const kind = kindOf(id);
  return everybody.has(id) || (kind !== undefined && kind !== 'user');
}

/** Undefined for what no provider of this server could have named so. */
function kindOf(id: string): string | undefined {
  const [, provider = '', kind, name] = form.exec(id) ?? [];
  return isGoodName(name) && findConfigured(provider) ? kind : undefined;
}
