/**
 * What a directory is configured to be: the fields of its authConfig with what each kind takes by default, every one checked.
 * Pure: nothing is asked for here. Filters that admins write are parsed once, here; what people type never becomes text of one.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { invalid, messageOf, Secret } from '@drover/base';
import { type Filter, FilterParser } from 'ldapts';
import { type ConfigFields, required, text } from '../auth-providers/config-fields.ts';

export type DirectoryKind = 'activedirectory' | 'openldap' | 'freeipa';

export interface DirectorySettings {
  readonly name: DirectoryKind;
  readonly servers: readonly string[];
  readonly port: number;
  readonly security: 'ldaps' | 'starttls' | 'none';
  /** PEM that is trusted beside the system's roots. */
  readonly ca?: string;
  readonly connectTimeoutMs: number;
  /** Of one request and its answer. */
  readonly requestTimeoutMs: number;
  readonly account: { readonly name: string; readonly password: Secret };
  /** Put before the names that people type, and the service account's, where they name no domain themselves. */
  readonly defaultDomain?: string;
  readonly user: {
    readonly base: string;
    readonly objectClass: string;
    readonly login: string;
    readonly name: string;
    readonly search: readonly string[];
    readonly memberOf: string;
    readonly loginFilter?: Filter;
    readonly searchFilter?: Filter;
    readonly enabled?: { readonly attribute: string; readonly disabledBits: number };
  };
  readonly group: {
    readonly base: string;
    readonly objectClass: string;
    readonly name: string;
    readonly search: string;
    readonly dn: string;
    /** Names its members. */
    readonly member: string;
    /** What of a user stands there. */
    readonly memberValue: string;
    readonly searchFilter?: Filter;
  };
  readonly nested: boolean;
  /** People may not look themselves up: the service account does. */
  readonly searchAsAccount: boolean;
}

const mostServers = 16;

/** Throws Invalid naming the field that is missing or wrong. */
export function directorySettings(name: DirectoryKind, fields: ConfigFields): DirectorySettings {
  const isAd = name === 'activedirectory';
  const timeout = integer(fields, 'connectionTimeout', { from: 100, to: 120_000, fallback: 5000 });
  const base = dn(fields, 'userSearchBase', true)!;
  const ca = certificate(fields);
  const disabledBits = integer(fields, 'userDisabledBitMask', { from: 0, to: 2 ** 31 - 1, fallback: isAd ? 2 : 0 });
  const enabled = attribute(fields, 'userEnabledAttribute', isAd ? 'userAccountControl' : undefined);
  const domain = text(fields, 'defaultLoginDomain');
  return {
    name,
    servers: servers(fields),
    port: integer(fields, 'port', { from: 1, to: 65_535, fallback: fields['tls'] === true ? 636 : 389 }),
    security: security(fields),
    ...(ca ? { ca } : {}),
    connectTimeoutMs: timeout,
    requestTimeoutMs: timeout * 3,
    account: {
      name: required(fields, isAd ? 'serviceAccountUsername' : 'serviceAccountDistinguishedName'),
      password: new Secret(required(fields, 'serviceAccountPassword')),
    },
    ...(isAd && domain ? { defaultDomain: domain } : {}),
    user: {
      base,
      objectClass: attribute(fields, 'userObjectClass', isAd ? 'person' : 'inetOrgPerson')!,
      login: attribute(fields, 'userLoginAttribute', isAd ? 'sAMAccountName' : 'uid')!,
      name: attribute(
        fields,
        'userNameAttribute',
        { activedirectory: 'name', openldap: 'cn', freeipa: 'givenName' }[name],
      )!,
      search: attributes(fields, 'userSearchAttribute', isAd ? 'sAMAccountName|sn|givenName' : 'uid|sn|givenName'),
      memberOf: attribute(fields, 'userMemberAttribute', 'memberOf')!,
      ...filter(fields, 'userLoginFilter', 'loginFilter'),
      ...filter(fields, 'userSearchFilter', 'searchFilter'),
      ...(enabled && disabledBits > 0 ? { enabled: { attribute: enabled, disabledBits } } : {}),
    },
    group: {
      base: dn(fields, 'groupSearchBase') ?? base,
      objectClass: attribute(fields, 'groupObjectClass', isAd ? 'group' : 'groupOfNames')!,
      name: attribute(fields, 'groupNameAttribute', isAd ? 'name' : 'cn')!,
      search: attribute(fields, 'groupSearchAttribute', isAd ? 'sAMAccountName' : 'cn')!,
      dn: attribute(fields, 'groupDNAttribute', isAd ? 'distinguishedName' : 'entryDN')!,
      member: attribute(fields, 'groupMemberMappingAttribute', 'member')!,
      memberValue: attribute(fields, 'groupMemberUserAttribute', isAd ? 'distinguishedName' : 'entryDN')!,
      ...filter(fields, 'groupSearchFilter', 'searchFilter'),
    },
    // FreeIPA's own groups tell nothing of those that they are in but through them.
    nested: fields['nestedGroupMembershipEnabled'] === true || name === 'freeipa',
    searchAsAccount: isAd || fields['searchUsingServiceAccount'] === true,
  };
}

function servers(fields: ConfigFields): string[] {
  const given = fields['servers'];
  const list = Array.isArray(given) ? given.map(each => String(each).trim()).filter(Boolean) : [];
  if (list.length === 0) throw invalid('servers', 'must name one server at least', 'MissingRequired');
  if (list.length > mostServers) throw invalid('servers', `must be at most ${mostServers}`, 'MaxLimitExceeded');
  const isHost = (host: string) => isIP(host) !== 0 || /^(?!-)[A-Za-z0-9._-]{1,253}(?<!-)$/.test(host);
  const wrong = list.find(host => !isHost(host));
  if (wrong !== undefined)
    throw invalid(
      'servers',
      `"${wrong.slice(0, 80)}" must be a host name or an address, without scheme and port`,
      'InvalidFormat',
    );
  return [...new Set(list)];
}

function security(fields: ConfigFields): DirectorySettings['security'] {
  const [tls, starttls] = [fields['tls'] === true, fields['starttls'] === true];
  if (tls && starttls) throw invalid('starttls', 'must be off where tls is on: one of them at a time', 'InvalidState');
  return tls ? 'ldaps' : starttls ? 'starttls' : 'none';
}

function certificate(fields: ConfigFields): string | undefined {
  const pem = text(fields, 'certificate');
  if (pem === undefined) return undefined;
  try {
    void new X509Certificate(pem);
  } catch {
    throw invalid('certificate', 'must be a CA certificate in PEM', 'InvalidFormat');
  }
  return pem;
}

function integer(
  fields: ConfigFields,
  name: string,
  { from, to, fallback }: { readonly from: number; readonly to: number; readonly fallback: number },
): number {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < from || number > to)
    throw invalid(name, `must be a whole number from ${from} to ${to}`, 'InvalidFormat');
  return number;
}

const descriptor = /^(?:[A-Za-z][A-Za-z0-9-]{0,63}|\d+(?:\.\d+)+)$/;

function attribute(fields: ConfigFields, name: string, fallback: string | undefined): string | undefined {
  const value = text(fields, name) ?? fallback;
  if (value !== undefined && !descriptor.test(value))
    throw invalid(
      name,
      'must be the name of an attribute or class such as sAMAccountName, or its OID',
      'InvalidFormat',
    );
  return value;
}

function attributes(fields: ConfigFields, name: string, fallback: string): string[] {
  const list = (text(fields, name) ?? fallback).split('|').map(each => each.trim());
  if (!list.every(each => descriptor.test(each)))
    throw invalid(name, 'must be names of attributes with | between them, such as uid|sn', 'InvalidFormat');
  return [...new Set(list)];
}

const relative = /^\s*(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*=/;

function dn(fields: ConfigFields, name: string, needed = false): string | undefined {
  const value = needed ? required(fields, name) : text(fields, name);
  if (value === undefined) return undefined;
  if (!value.split(/(?<!\\)[,+;]/).every(part => relative.test(part)))
    throw invalid(name, 'must be a distinguished name such as ou=people,dc=example,dc=org', 'InvalidFormat');
  return value;
}

/** The parser lets what is open at the end be closed by the end. In values parentheses are escaped, so they can be counted. */
function requireBalance(filter: string): void {
  let open = 0;
  for (const letter of filter) {
    if (letter === '(') open++;
    if (letter === ')' && --open < 0) break;
  }
  if (open !== 0) throw new Error('its parentheses do not match');
}

function filter<K extends string>(fields: ConfigFields, name: string, as: K): { readonly [key in K]?: Filter } {
  const value = text(fields, name);
  if (value === undefined) return {};
  try {
    requireBalance(value);
    return { [as]: FilterParser.parseString(value) } as { readonly [key in K]?: Filter };
  } catch (cause) {
    const why = messageOf(cause)
      .replace(/ Full string:.*$/s, '')
      .slice(0, 120);
    throw invalid(name, `must be a filter such as (department=it): ${why}`, 'InvalidFormat');
  }
}
