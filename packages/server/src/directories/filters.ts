/**
 * Filters for what a directory is asked, as trees: what somebody typed, or what a directory itself called an entry, is a value in
 * them and can't end one or begin another, whatever it holds.
 */
import { AndFilter, EqualityFilter, ExtensibleFilter, type Filter, OrFilter, SubstringFilter } from 'ldapts';
import type { DirectorySettings } from './settings.ts';

/** Active Directory walks a chain of memberships itself where it is asked by this rule. */
export const inChain = '1.2.840.113556.1.4.1941';

export const is = (attribute: string, value: string): Filter => new EqualityFilter({ attribute, value });
const begins = (attribute: string, initial: string): Filter => new SubstringFilter({ attribute, initial });
const holds = (attribute: string, piece: string): Filter => new SubstringFilter({ attribute, any: [piece] });

export function all(...filters: (Filter | undefined)[]): Filter {
  const given = filters.filter(filter => filter !== undefined);
  return given.length === 1 ? given[0]! : new AndFilter({ filters: given });
}

export const any = (filters: readonly Filter[]): Filter =>
  filters.length === 1 ? filters[0]! : new OrFilter({ filters: [...filters] });

/** The one user who signs in under that name; with `upn` he may be known by his principal name too. */
export function loginFilter({ name, user }: DirectorySettings, login: string): Filter {
  const byName = is(user.login, login);
  const isUpn = name === 'activedirectory' && login.includes('@');
  return all(
    is('objectClass', user.objectClass),
    isUpn ? any([byName, is('userPrincipalName', login)]) : byName,
    user.loginFilter,
  );
}

/** Users any of whose search attributes begins with the text. */
export function userSearchFilter({ user }: DirectorySettings, text: string): Filter {
  // A number is compared whole: there is no beginning of one.
  const each = user.search.map(attribute => (/^uidNumber$/i.test(attribute) ? is : begins)(attribute, text));
  return all(is('objectClass', user.objectClass), any(each), user.searchFilter);
}

/** Groups whose name begins with the text, in Active Directory; elsewhere those that have it anywhere in their name. */
export function groupSearchFilter({ name, group }: DirectorySettings, text: string): Filter {
  const compare = /^gidNumber$/i.test(group.search) ? is : name === 'activedirectory' ? begins : holds;
  return all(is('objectClass', group.objectClass), compare(group.search, text), group.searchFilter);
}

/** Groups that one of the values stands in as a member, or which are themselves one of the DNs. */
export function groupsOfFilter(
  { group }: DirectorySettings,
  { members = [], dns = [] }: { readonly members?: readonly string[]; readonly dns?: readonly string[] },
): Filter {
  return all(
    is('objectClass', group.objectClass),
    any([...members.map(value => is(group.member, value)), ...dns.map(dn => is(group.dn, dn))]),
  );
}

/** All groups of a user in Active Directory, those that he is in through others too, in one question. */
export function inChainFilter({ group }: DirectorySettings, userDn: string): Filter {
  const chain = new ExtensibleFilter({ rule: inChain, matchType: group.member, value: userDn });
  return all(is('objectClass', group.objectClass), chain);
}
