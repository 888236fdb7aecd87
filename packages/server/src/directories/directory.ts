/**
 * What a directory is asked: whether a password is somebody's, who he is now and what he is in, and who is called something. The
 * password is tried as the very entry that was found: a name that means somebody else to the directory opens nothing.
 */
import { randomBytes } from 'node:crypto';
import { invalid, StatusError, unauthorized } from '@drover/base';
import {
  type Client,
  ConfidentialityRequiredError,
  type Entry,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  ResultCodeError,
  StrongAuthRequiredError,
} from 'ldapts';
import type { Identity, KnownPrincipal } from '../auth-providers/identity.ts';
import {
  binary,
  groupAttributes,
  groupOf,
  identityOf,
  isDisabled,
  lastingFilter,
  lastingOf,
  searchFirst,
  userAttributes,
  userOf,
} from './entries.ts';
import { all, groupSearchFilter, is, loginFilter, userSearchFilter } from './filters.ts';
import { groupsOf } from './groups.ts';
import type { DirectoryPool } from './pool.ts';
import type { DirectorySettings } from './settings.ts';

const mostFound = 50;
const refused = () => unauthorized('authentication failed', { code: 'Unauthorized' });

/** Throws Unauthorized, the same whatever was wrong, Forbidden for a disabled user, or Unavailable where it can't be asked. */
export async function signInWithPassword(
  pool: DirectoryPool,
  given: { readonly username: string; readonly password: string },
): Promise<Identity> {
  const { settings } = pool;
  const login = loginOf(settings, given.username);
  // A bind without a password is one as nobody, which succeeds.
  if (login === '' || given.password === '') throw refused();
  const entry = await pool.withAccount(({ client }) => findLogin(client, settings, login));
  // For somebody who is not there one is tried who can't be: it takes as long.
  const dn = entry?.dn ?? `cn=${randomBytes(12).toString('hex')},${settings.user.base}`;
  const own = await pool.withOwn(async ({ client }) => {
    await bind(client, dn, given.password);
    if (!entry) throw refused();
    return settings.searchAsAccount || isDisabled(settings, entry) ? undefined : readOwn(client, settings, entry);
  });
  if (own) return identityOf(settings, own.entry, own.groups);
  if (isDisabled(settings, entry!)) return identityOf(settings, entry!, []);
  const groups = await pool.withAccount(({ client }) => groupsOf(client, settings, entry!));
  return identityOf(settings, entry!, groups);
}

/** As the user himself, who may see more of himself than others do. */
async function readOwn(client: Client, settings: DirectorySettings, found: Entry) {
  const entry = (await readEntry(client, settings, { dn: found.dn, kind: 'user' })) ?? found;
  return { entry, groups: await groupsOf(client, settings, entry) };
}

/** Without the domain that names its directory; principal names keep theirs. */
function loginOf({ name }: DirectorySettings, typed: string): string {
  const login = typed.trim();
  if (name !== 'activedirectory') return login;
  return login.slice(login.indexOf('\\') + 1);
}

async function findLogin(client: Client, settings: DirectorySettings, login: string): Promise<Entry | undefined> {
  const { searchEntries } = await client.search(settings.user.base, {
    scope: 'sub',
    filter: loginFilter(settings, login),
    attributes: userAttributes(settings),
    ...binary,
    sizeLimit: 2,
  });
  // Of two nobody can tell who is meant.
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

async function bind(client: Client, dn: string, password: string): Promise<void> {
  try {
    await client.bind(dn, password);
  } catch (error) {
    const isOurs = error instanceof ConfidentialityRequiredError || error instanceof StrongAuthRequiredError;
    if (error instanceof ResultCodeError && !isOurs) throw refused();
    throw error;
  }
}

/** Who he is now, wherever he has been moved to; undefined for one who is gone, is no user any more, or may no longer sign in. */
export async function currentIdentity(
  pool: DirectoryPool,
  { dn, lasting }: { readonly dn: string; readonly lasting?: string | undefined },
): Promise<Identity | undefined> {
  const { settings } = pool;
  return pool.withAccount(async ({ client }) => {
    const there = await readEntry(client, settings, { dn, kind: 'user', mustMaySignIn: true });
    const isHim = there !== undefined && (lasting === undefined || (lastingOf(settings, there) ?? lasting) === lasting);
    const entry = isHim || lasting === undefined ? there : await findLasting(client, settings, lasting);
    if (!entry || isDisabled(settings, entry)) return undefined;
    return identityOf(settings, entry, await groupsOf(client, settings, entry));
  });
}

async function findLasting(client: Client, settings: DirectorySettings, lasting: string): Promise<Entry | undefined> {
  const { searchEntries } = await client.search(settings.user.base, {
    scope: 'sub',
    filter: all(
      is('objectClass', settings.user.objectClass),
      lastingFilter(settings, lasting),
      settings.user.loginFilter,
    ),
    attributes: userAttributes(settings),
    ...binary,
    sizeLimit: 2,
  });
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

/** The principal of that DN; undefined for what is not there or is something else. */
export async function principalAt(
  pool: DirectoryPool,
  { dn, kind }: { readonly dn: string; readonly kind: 'user' | 'group' },
): Promise<KnownPrincipal | undefined> {
  const { settings } = pool;
  const entry = await pool.withAccount(({ client }) => readEntry(client, settings, { dn, kind }));
  return entry && (kind === 'user' ? userOf : groupOf)(settings, entry);
}

async function readEntry(
  client: Client,
  settings: DirectorySettings,
  {
    dn,
    kind,
    mustMaySignIn = false,
  }: { readonly dn: string; readonly kind: 'user' | 'group'; mustMaySignIn?: boolean },
): Promise<Entry | undefined> {
  const { user } = settings;
  try {
    const { searchEntries } = await client.search(dn, {
      scope: 'base',
      filter: all(is('objectClass', settings[kind].objectClass), mustMaySignIn ? user.loginFilter : undefined),
      attributes: kind === 'user' ? userAttributes(settings) : groupAttributes(settings),
      ...binary,
    });
    return searchEntries[0];
  } catch (error) {
    if (error instanceof NoSuchObjectError || error instanceof InvalidDNSyntaxError) return undefined;
    throw error;
  }
}

/** People and groups by the beginning of a name, fifty of each at most; or the one whose distinguished name or principal it is. */
export async function searchDirectory(
  pool: DirectoryPool,
  { name, principalType }: { readonly name: string; readonly principalType?: string },
): Promise<KnownPrincipal[]> {
  const { settings } = pool;
  const text = name.trim();
  if (text === '') return [];
  const dn = text.replace(new RegExp(`^${settings.name}_(?:user|group)://`), '');
  return pool.withAccount(async ({ client }) => {
    if (dn.includes('=')) {
      const named = await findNamed(client, settings, { dn, principalType });
      if (named.length > 0) return named;
    }
    const find = (base: string, filter: ReturnType<typeof is>, attributes: string[]) =>
      searchFirst(client, base, { filter, attributes, most: mostFound });
    const { user, group } = settings;
    const [users, groups] = await Promise.all([
      principalType === 'group' ? [] : find(user.base, userSearchFilter(settings, text), userAttributes(settings)),
      principalType === 'user' ? [] : find(group.base, groupSearchFilter(settings, text), groupAttributes(settings)),
    ]);
    const known = [...users.map(entry => goodUser(settings, entry)), ...groups.map(entry => groupOf(settings, entry))];
    return known.filter(principal => principal !== undefined);
  });
}

async function findNamed(
  client: Client,
  settings: DirectorySettings,
  { dn, principalType }: { readonly dn: string; readonly principalType: string | undefined },
): Promise<KnownPrincipal[]> {
  const found: KnownPrincipal[] = [];
  for (const kind of ['user', 'group'] as const) {
    const entry = (principalType ?? kind) === kind ? await readEntry(client, settings, { dn, kind }) : undefined;
    const known = entry && (kind === 'user' ? goodUser : groupOf)(settings, entry);
    if (known) found.push(known);
  }
  return found;
}

function goodUser(settings: DirectorySettings, entry: Entry): KnownPrincipal | undefined {
  try {
    return userOf(settings, entry);
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

/** Throws Invalid or Unavailable, saying what is wrong, where the directory can't be used as it is configured. */
export async function verifyDirectory(pool: DirectoryPool): Promise<void> {
  const { user, group } = pool.settings;
  const bases = [
    ...new Map([
      [group.base, 'groupSearchBase'],
      [user.base, 'userSearchBase'],
    ]),
  ];
  await pool
    .withAccount(async ({ client }) => {
      for (const [base, field] of bases) await requireBase(client, base, field);
    })
    .catch(error => {
      throw accountRefused(error) ?? error;
    });
}

/** The refusal of the service account as what whoever configures it can mend. */
export function accountRefused(error: unknown): StatusError | undefined {
  const isRefused = error instanceof StatusError && error.details.code === 'ServiceAccountRefused';
  return isRefused
    ? invalid('serviceAccountPassword', 'the directory does not take the service account', 'InvalidFormat')
    : undefined;
}

async function requireBase(client: Client, base: string, field: string): Promise<void> {
  try {
    await client.search(base, { scope: 'base', filter: '(objectClass=*)', attributes: ['1.1'] });
  } catch (error) {
    if (error instanceof NoSuchObjectError) throw invalid(field, 'is not there, or not for the service account to see');
    if (error instanceof InvalidDNSyntaxError) throw invalid(field, 'is no distinguished name to this directory');
    throw error;
  }
}
