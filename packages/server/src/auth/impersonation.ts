/**
 * As whom a request reaches a cluster: the identity in Impersonate-* headers, ours only. What a client sends of them is
 * taken as a wish (`--as`) that needs the right to impersonate, and is never passed on as it came.
 */
import { badRequest, forbidden, internal } from '@drover/base';
import { controllerUser } from '../clusters/upstream.ts';
import type { Caller } from '../http/exchange.ts';
import type { Access } from './access.ts';

/** Who a cluster is told is asking. A Caller is one. */
export type Identity = Pick<Caller, 'userId' | 'groups' | 'extra'>;

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';
const everyone = 'system:authenticated';
const serviceAccountPattern = /^system:serviceaccount:([a-z0-9][-a-z0-9]{0,62}):([a-z0-9][-.a-z0-9]{0,252})$/;

/** The headers that tell a cluster who asks, from any identity; `requestHost` is the host the client called. */
export function identityHeaders(identity: Identity, requestHost?: string): [name: string, value: string][] {
  // An identity without a user would let the request run with the credentials of whoever sends it on.
  if (!identity.userId) throw internal('a request without an identity must not be sent to a cluster');
  const headers: [string, string][] = [['Impersonate-User', headerValue(identity.userId)]];
  for (const group of identity.groups) headers.push(['Impersonate-Group', headerValue(group)]);
  const extra = requestHost === undefined ? identity.extra : { ...identity.extra, requesthost: [requestHost] };
  for (const [key, values] of Object.entries(extra)) {
    const name = `Impersonate-Extra-${escapeExtraKey(key)}`;
    for (const value of values) headers.push([name, headerValue(value)]);
  }
  return headers;
}

/** Raw headers (name, value, name, value, …) without any Impersonate-* of whatever case. */
export function stripIdentity(rawHeaders: readonly string[]): string[] {
  const out: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!isIdentityHeader(rawHeaders[index]!)) out.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return out;
}

export function isIdentityHeader(name: string): boolean {
  return name.length >= prefix.length && name.slice(0, prefix.length).toLowerCase() === prefix;
}

export type ResolveIdentity = (caller: Caller, rawHeaders: readonly string[], clusterId: string) => Identity;

/** Gives `resolveIdentity`: the caller himself, or whom he asks to be and may; throws Forbidden otherwise. */
export function createResolveIdentity(access: Access): ResolveIdentity {
  return (caller, rawHeaders, clusterId) => {
    const wish = readWish(rawHeaders);
    return wish ? grantWish(access, caller, { wish, clusterId }) : caller;
  };
}

interface Wish {
  readonly user: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

function readWish(rawHeaders: readonly string[]): Wish | undefined {
  let users: string[] | undefined;
  const groups: string[] = [];
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  let any = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    // The first letter decides for nearly every header of nearly every request.
    if ((name.charCodeAt(0) | 32) !== 105 || !isIdentityHeader(name)) continue;
    any = true;
    const lower = name.toLowerCase();
    const value = utf8(rawHeaders[index + 1]!);
    if (lower === 'impersonate-user') (users ??= []).push(value);
    else if (lower === 'impersonate-group') groups.push(value);
    else if (lower.startsWith(extraPrefix))
      (extra[unescapeExtraKey(lower.slice(extraPrefix.length))] ??= []).push(value);
    // Impersonate-Uid among them: whom this server knows has no UID in a cluster, so nobody could say who may claim one.
    else throw badRequest(`${name} is not supported; use Impersonate-User, -Group and -Extra-*`);
  }
  if (!any) return undefined;
  if (users?.length !== 1 || !users[0])
    throw badRequest('impersonation needs exactly one Impersonate-User header with a name in it');
  return { user: users[0], groups, extra };
}

function grantWish(access: Access, caller: Caller, asked: { wish: Wish; clusterId: string }): Identity {
  const { wish, clusterId } = asked;
  if (caller.clusterId !== undefined && caller.clusterId !== clusterId) throw refuse('anybody in another cluster');
  refuseReserved(wish);
  const account = serviceAccountPattern.exec(wish.user);
  if (account) {
    if (!access.ownsAll(caller, clusterId)) throw refuse(`service account "${account[1]}:${account[2]}"`);
  } else if (wish.user.startsWith('system:serviceaccount:')) {
    throw refuse(`"${wish.user}": a service account is system:serviceaccount:NAMESPACE:NAME`);
  } else if (wish.user !== caller.userId) {
    const allowed = access.allows(caller, 'impersonate', { group: '', resource: 'users', name: wish.user });
    if (!allowed) throw refuse(`user "${wish.user}"`);
  }
  for (const group of wish.groups) {
    if (caller.groups.includes(group)) continue;
    if (!access.allows(caller, 'impersonate', { group: '', resource: 'groups', name: group }))
      throw refuse(`group "${group}"`);
  }
  for (const key of Object.keys(wish.extra)) {
    const resource = `userextras/${key}`;
    if (!access.allows(caller, 'impersonate', { group: 'authentication.k8s.io', resource }))
      throw refuse(`extra "${key}"`);
  }
  return { userId: wish.user, groups: groupsOf(wish, account), extra: wish.extra };
}

/** Nobody becomes these, whatever his rights: they are outside of what a cluster's RBAC can hold back. */
function refuseReserved(wish: Wish): void {
  if (wish.user === controllerUser || wish.user.startsWith('system:cattle:')) throw refuse(`user "${wish.user}"`);
  if (wish.groups.includes('system:masters')) throw refuse('group "system:masters"');
  // What we vouch for in extras (who signed in, with which token) can't be claimed by a client.
  const claimed = Object.keys(wish.extra).find(key => vouched.has(key));
  if (claimed) throw refuse(`extra "${claimed}"`);
}

const vouched = new Set(['principalid', 'username', 'requesttokenid', 'requesthost']);

function groupsOf(wish: Wish, account: RegExpExecArray | null): string[] {
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  const standing = wish.user === 'system:anonymous' ? 'system:unauthenticated' : everyone;
  return [...new Set([...wish.groups, ...own, standing])];
}

function refuse(what: string): Error {
  return forbidden(`you may not impersonate ${what}`);
}

/** A header's bytes are UTF-8 to Kubernetes and Latin-1 to Node: the UTF-8 bytes, one character each. */
function headerValue(value: string): string {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw forbidden('an identity must not hold control characters');
  return /[^\x20-\x7e]/.test(value) ? Buffer.from(value, 'utf8').toString('latin1') : value;
}

function utf8(value: string): string {
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
}

/** As client-go's headerKeyEscape: what can't stand in a header's name, and `%`, is percent-encoded byte by byte. */
function escapeExtraKey(key: string): string {
  return key
    .toLowerCase()
    .replace(/[^a-z0-9!#$&'*+.^_`|~-]/gu, character =>
      [...Buffer.from(character, 'utf8')].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    );
}

/** Kubernetes takes a key that does not decode as it stands. */
function unescapeExtraKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key;
  }
}
