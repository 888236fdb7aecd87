/**
 * Identity: who somebody is to a provider that he was sent to, and his groups there. Names come from elsewhere and end in
 * bindings, headers and pages, so they are held to bounds here, once for all providers.
 */
import { forbidden } from '@drover/base';

export interface KnownPrincipal {
  /** `NAME_user://ID`, or `_group`, `_org`, `_team`. */
  readonly id: string;
  readonly displayName: string;
  readonly loginName?: string;
  readonly principalType: 'user' | 'group';
  readonly provider: string;
  readonly profilePicture?: string;
  readonly profileURL?: string;
  /** The id of the organisation that it is, or is of. */
  readonly organisation?: string;
}

export interface Identity {
  readonly user: KnownPrincipal;
  readonly groups: readonly KnownPrincipal[];
  /** What the provider itself knows him by, where it has something that stays when his name and place there change. */
  readonly lasting?: string;
  /** What the provider must be shown to ask again for groups, or to end the session there; kept encrypted, shown to nobody. */
  readonly keep?: Readonly<Record<string, string>>;
}

const longestId = 512;
const mostGroups = 2000;
// Control characters, and what turns the direction of writing around.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/;

/** Whether the text may name somebody: not empty, printable, of bounded length. */
export function isGoodName(text: unknown): text is string {
  return typeof text === 'string' && text.trim() !== '' && text.length <= longestId && !unprintable.test(text);
}

/** The text as a name to show: what can't be shown is left out. */
export function shownName(text: unknown, fallback: string): string {
  const name =
    typeof text === 'string' ? text.replace(new RegExp(unprintable, 'g'), '').trim().slice(0, longestId) : '';
  return name === '' ? fallback : name;
}

/** The user; throws Forbidden for an id that can't be one. */
export function userPrincipal(
  provider: string,
  id: unknown,
  more: { readonly displayName?: unknown; readonly loginName?: unknown; readonly field: string },
): KnownPrincipal {
  if (!isGoodName(id)) throw forbidden(`the provider's answer has no usable "${more.field}" to know the user by`);
  const loginName = shownName(more.loginName, id);
  return {
    id: `${provider}_user://${id}`,
    displayName: shownName(more.displayName, loginName),
    loginName,
    principalType: 'user',
    provider,
  };
}

/** Groups by their names, each once; names that can't be one are left out. Throws Forbidden for more than anybody is in. */
export function groupPrincipals(provider: string, names: readonly unknown[]): KnownPrincipal[] {
  const good = [...new Set(names.filter(isGoodName))];
  if (good.length > mostGroups) throw forbidden(`the provider names more than ${mostGroups} groups; narrow them there`);
  return good.map(name => ({
    id: `${provider}_group://${name}`,
    displayName: name,
    principalType: 'group',
    provider,
  }));
}
