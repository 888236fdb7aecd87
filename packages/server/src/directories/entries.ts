/** Entries of a directory as principals. What stands in them was written by others: names that can't be one name nobody. */
import { forbidden } from '@drover/base';
import { type Client, type Entry, EqualityFilter, type Filter, type SearchOptions } from 'ldapts';
import {
  type Identity,
  isGoodName,
  type KnownPrincipal,
  shownName,
  userPrincipal,
} from '../auth-providers/identity.ts';
import type { DirectoryKind, DirectorySettings } from './settings.ts';

/** The values of an attribute, whatever case the server writes its name in; what is no text is left out. */
export function valuesOf(entry: Entry, attribute: string): string[] {
  const key = Object.keys(entry).find(name => name !== 'dn' && name.toLowerCase() === attribute.toLowerCase());
  const value = key === undefined ? [] : entry[key]!;
  return [value].flat().filter(each => typeof each === 'string');
}

export const oneOf = (entry: Entry, attribute: string): string | undefined => valuesOf(entry, attribute)[0];

/** The value of the first part of a DN, to show where an entry has no name. */
function firstOf(dn: string): string {
  const [first = dn] = dn.split(/(?<!\\)[,+]/);
  return first.slice(first.indexOf('=') + 1).replace(/\\(.)/g, '$1');
}

/** What each kind of directory knows an entry by for good; nobody chooses it, and it is never given again. */
const lastingAttributes: Readonly<Record<DirectoryKind, string>> = {
  activedirectory: 'objectGUID',
  openldap: 'entryUUID',
  freeipa: 'ipaUniqueID',
};

export const lastingAttribute = ({ name }: DirectorySettings): string => lastingAttributes[name];

/** Undefined where the directory does not show it. */
export function lastingOf(settings: DirectorySettings, entry: Entry): string | undefined {
  const wanted = lastingAttribute(settings);
  const key = Object.keys(entry).find(name => name.toLowerCase() === wanted.toLowerCase());
  const [value] = key === undefined ? [] : [entry[key]!].flat();
  if (Buffer.isBuffer(value)) return value.length === 16 ? value.toString('hex') : undefined;
  return isGoodName(value) ? value.toLowerCase() : undefined;
}

/** Finds it again. */
export const lastingFilter = (settings: DirectorySettings, lasting: string): Filter =>
  new EqualityFilter({
    attribute: lastingAttribute(settings),
    value: settings.name === 'activedirectory' ? Buffer.from(lasting, 'hex') : lasting,
  });

/** Of searches that read users: what is no text there. */
export const binary = { explicitBufferAttributes: [lastingAttributes.activedirectory] };

export const userAttributes = ({ user, group, name }: DirectorySettings): string[] => [
  ...new Set([
    ...[lastingAttributes[name], 'objectClass', user.login, user.name, user.memberOf, group.memberValue],
    ...(name === 'activedirectory' ? ['userPrincipalName'] : []),
    ...(user.enabled ? [user.enabled.attribute] : []),
  ]),
];

export const groupAttributes = ({ group }: DirectorySettings): string[] => [
  ...new Set(['objectClass', group.name, group.search]),
];

/** Throws Forbidden for an entry whose DN can't name anybody. */
export function userOf({ name, user }: DirectorySettings, entry: Entry): KnownPrincipal {
  const loginName = oneOf(entry, user.login);
  const displayName = oneOf(entry, user.name) ?? loginName ?? firstOf(entry.dn);
  return userPrincipal(name, entry.dn, { displayName, loginName: loginName ?? firstOf(entry.dn), field: 'dn' });
}

/** Undefined for an entry whose DN can't name a group. */
export function groupOf({ name, group }: DirectorySettings, entry: Entry): KnownPrincipal | undefined {
  if (!isGoodName(entry.dn)) return undefined;
  const fallback = firstOf(entry.dn);
  return {
    id: `${name}_group://${entry.dn}`,
    displayName: shownName(oneOf(entry, group.name), shownName(fallback, entry.dn)),
    loginName: shownName(oneOf(entry, group.search), fallback),
    principalType: 'group',
    provider: name,
  };
}

/** Whether the directory has switched the user off: all of the bits that say so are set. */
export function isDisabled({ user }: DirectorySettings, entry: Entry): boolean {
  if (!user.enabled) return false;
  const { attribute, disabledBits } = user.enabled;
  return (Number(oneOf(entry, attribute) ?? 0) & disabledBits) === disabledBits;
}

export function identityOf(settings: DirectorySettings, entry: Entry, groups: readonly Entry[]): Identity {
  if (isDisabled(settings, entry))
    throw forbidden('the account is disabled in its directory', { code: 'PermissionDenied' });
  const known = groups.map(group => groupOf(settings, group)).filter(group => group !== undefined);
  return { user: userOf(settings, entry), groups: known, lasting: lastingOf(settings, entry) };
}

export interface SearchAsk {
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Finding more than this is an error. */
  readonly most: number;
}

/** Everything below the base that the filter finds, page by page. Throws Forbidden where there is more than anybody needs. */
export async function searchAll(
  client: Client,
  base: string,
  { filter, attributes, most }: SearchAsk,
): Promise<Entry[]> {
  const found: Entry[] = [];
  const options: SearchOptions = { scope: 'sub', filter, attributes: [...attributes], paged: { pageSize: 500 } };
  for await (const { searchEntries } of client.searchPaginated(base, options)) {
    found.push(...searchEntries);
    if (found.length > most) throw forbidden(`the directory names more than ${most}; narrow it there`);
  }
  return found;
}

/** The first page of what is found, of `most` entries: not every server minds a limit on their number, but each minds pages. */
export async function searchFirst(
  client: Client,
  base: string,
  { filter, attributes, most }: SearchAsk,
): Promise<Entry[]> {
  const options: SearchOptions = { scope: 'sub', filter, attributes: [...attributes], paged: { pageSize: most } };
  for await (const { searchEntries } of client.searchPaginated(base, options)) return searchEntries.slice(0, most);
  return [];
}
