/**
 * Filters of RFC 7644 as clients write them: attributes by their whole URN or without it, several values without saying `.value`, and
 * names of people and groups in whatever case.
 */
import { filter as compile, type Filter, parse } from 'scim2-parse-filter';
import { type Scim, scimError } from './protocol.ts';

const longest = 1024;
const ofCore = /^urn:ietf:params:scim:schemas:core:2\.0:(?:User|Group):/i;
const severalValues: ReadonlySet<string> = new Set(['members', 'emails']);
/** RFC 7643 has them compared so; ids are letter by letter. */
const inAnyCase: ReadonlySet<string> = new Set(['username', 'displayname', 'emails.value']);

/** Which resources the filter lets through; all where there is none. Throws a SCIM fault for what is no filter. */
export function predicate(text: string | null): (one: Scim) => boolean {
  if (text === null || text.trim() === '') return () => true;
  if (text.length > longest) throw scimError(400, 'invalidFilter', 'the filter is too long');
  try {
    const test = compile(plain(parse(text)));
    return one => test(comparable(one));
  } catch {
    throw scimError(400, 'invalidFilter', 'the filter is none of RFC 7644, such as userName eq "vera"');
  }
}

/** The one userName that the filter asks for, in small letters, where it asks for nothing else, as clients do before they make a user. */
export function userNameAsked(text: string | null): string | undefined {
  if (text === null || text.length > longest) return undefined;
  try {
    const asked = plain(parse(text));
    const isName = 'compValue' in asked && asked.op === 'eq' && asked.attrPath.toLowerCase() === 'username';
    return isName && typeof asked.compValue === 'string' ? asked.compValue : undefined;
  } catch {
    // What is wrong with it is told by whoever filters with it.
    return undefined;
  }
}

function plain(filter: Filter, within = ''): Filter {
  if ('filters' in filter) return { ...filter, filters: filter.filters.map(each => plain(each, within)) };
  if ('filter' in filter) return { ...filter, filter: plain(filter.filter, within) };
  const attrPath = filter.attrPath.replace(ofCore, '');
  if ('valFilter' in filter) return { ...filter, attrPath, valFilter: plain(filter.valFilter, `${attrPath}.`) };
  if (!('compValue' in filter)) return { ...filter, attrPath };
  const path = severalValues.has(attrPath.toLowerCase()) ? `${attrPath}.value` : attrPath;
  const { compValue } = filter;
  const isLower = typeof compValue === 'string' && inAnyCase.has(`${within}${path}`.toLowerCase());
  return { ...filter, attrPath: path, compValue: isLower ? compValue.toLowerCase() : compValue };
}

const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

function comparable(one: Scim): Scim {
  const { userName, displayName, emails } = one;
  return {
    ...one,
    ...(userName === undefined ? {} : { userName: lower(userName) }),
    ...(displayName === undefined ? {} : { displayName: lower(displayName) }),
    ...(Array.isArray(emails)
      ? { emails: emails.map(each => ({ ...(each as Scim), value: lower((each as Scim | null)?.['value']) })) }
      : {}),
  };
}
