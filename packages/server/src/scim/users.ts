/**
 * Users as SCIM sees them: those whom one provider keeps here. Each is known by his externalId and his userName there; who has a
 * password of this server, or holds its highest rights by one, is never a provider's to change.
 */
import { hash } from 'node:crypto';
import type { User } from '@drover/api';
import { ignoreNotFound, notFound } from '@drover/base';
import type { AuthDeps } from '../auth/deps.ts';
import { revokeToken } from '../auth/tokens.ts';
import { makeExternalUser } from '../auth-providers/external-users.ts';
import { isGoodName, shownName } from '../auth-providers/identity.ts';
import { findByPrincipal } from '../auth-providers/lasting-ids.ts';
import type { Caches } from '../resources/index.ts';
import { invalidValue, patched, type Scim, schemas, scimError, textOf } from './protocol.ts';

const annotation = 'drover.io/scim';

/** What the provider said of him, kept as it was said. */
interface Said {
  readonly provider: string;
  readonly userName: string;
  readonly externalId?: string;
  readonly name?: Scim;
  readonly displayName?: string;
  readonly emails?: unknown;
}

const nameIndex = 'scim-name';
const nameKey = (provider: string, userName: string) => `${provider} ${userName.toLowerCase()}`;

/** Declares the index that is read here; once, before the first. */
export function indexScimNames(caches: Caches): void {
  caches.user.index(nameIndex, ({ metadata: { annotations } }) => {
    const text = annotations?.[annotation];
    if (text === undefined) return [];
    const { provider, userName } = JSON.parse(text) as Said;
    return [nameKey(provider, userName)];
  });
}

export function scimUsers(deps: AuthDeps, provider: string, base: string) {
  const saidOf = (user: User): Said | undefined => {
    const text = user.metadata.annotations?.[annotation];
    const said = text === undefined ? undefined : (JSON.parse(text) as Said);
    return said?.provider === provider && !user.metadata.deletionTimestamp ? said : undefined;
  };
  const show = (user: User, { userName, externalId, name, emails, displayName }: Said): Scim => ({
    schemas: [schemas.user],
    id: user.metadata.name,
    userName,
    ...(externalId === undefined ? {} : { externalId }),
    ...(name === undefined ? {} : { name }),
    ...(emails === undefined ? {} : { emails }),
    displayName: displayName ?? user.displayName ?? userName,
    active: user.enabled !== false,
    meta: {
      resourceType: 'User',
      created: user.metadata.creationTimestamp,
      location: `${base}/Users/${user.metadata.name}`,
    },
  });
  const find = (id: string): { readonly user: User; readonly said: Said } => {
    const user = deps.caches.user.get(id);
    const said = user && saidOf(user);
    if (!user || !said) throw notFound('User', id.slice(0, 64));
    return { user, said };
  };

  const principalsOf = ({ userName, externalId }: Said): string[] =>
    [...new Set([externalId, userName])].filter(isGoodName).map(id => `${provider}_user://${id}`);

  const parse = (body: Scim): Said & { readonly active: boolean } => {
    const userName = textOf(body['userName'], 'userName');
    if (userName === undefined || !isGoodName(userName)) throw invalidValue('userName is required, as printable text');
    const externalId = textOf(body['externalId'], 'externalId');
    const name = typeof body['name'] === 'object' && body['name'] !== null ? (body['name'] as Scim) : undefined;
    const said: Said = {
      provider,
      userName,
      externalId,
      name,
      displayName: textOf(body['displayName'], 'displayName'),
      emails: body['emails'],
    };
    if (JSON.stringify(said).length > 8192) throw invalidValue('what is said of one user may have at most 8 KiB');
    // Some send it as text.
    return { ...said, active: String(body['active'] ?? true).toLowerCase() !== 'false' };
  };

  /** Whose any of the principals is already. Throws where that is somebody whom this provider may not change. */
  const holderOf = (said: Said): User | undefined => {
    const held = principalsOf(said)
      .map(id => findByPrincipal(deps.caches, id))
      .find(user => user !== undefined);
    if (held?.username)
      throw scimError(409, 'uniqueness', 'that account belongs to a user who is kept by this server itself');
    return held;
  };

  /** Another of this provider's who is called so in another case: to SCIM it is the same name. */
  const sameName = ({ userName }: Said): User | undefined =>
    deps.caches.user.by(nameIndex, nameKey(provider, userName)).find(user => saidOf(user) !== undefined);

  const write = async (id: string, given: Said & { readonly active: boolean }): Promise<Scim> => {
    const { active, ...said } = given;
    const holder = holderOf(said) ?? sameName(said);
    if (holder && holder.metadata.name !== id)
      throw scimError(409, 'uniqueness', `userName "${said.userName}" is another user's`);
    const { formatted, givenName, familyName } = (said.name ?? {}) as Readonly<Record<string, string>>;
    const named = said.displayName ?? formatted ?? [givenName, familyName].filter(Boolean).join(' ');
    const user = await deps.resources.modify('user', { name: id }, seen => ({
      ...seen,
      displayName: shownName(named, said.userName),
      enabled: active,
      principalIds: [...new Set([`local://${id}`, ...othersOf(seen), ...principalsOf(said)])],
      metadata: { ...seen.metadata, annotations: { ...seen.metadata.annotations, [annotation]: JSON.stringify(said) } },
    }));
    if (!active) await endTokens(deps, id);
    return show(user, said);
  };

  /** Those of them that are this provider's. */
  const shown = (users: Iterable<User>): Scim[] =>
    Array.from(users).flatMap(user => {
      const said = saidOf(user);
      return said ? [show(user, said)] : [];
    });

  const othersOf = (user: User): string[] =>
    (user.principalIds ?? []).filter(id => !id.startsWith(`${provider}_user://`));

  return {
    all: (): Scim[] => shown(deps.caches.user.all()),
    /** Those who may be called so: looked up, since a first sync asks so for each of thousands. */
    named: (userName: string): Scim[] => shown(deps.caches.user.by(nameIndex, nameKey(provider, userName))),
    get: (id: string): Scim => {
      const { user, said } = find(id);
      return show(user, said);
    },
    has: (id: string): boolean => {
      const user = deps.caches.user.get(id);
      return user !== undefined && saidOf(user) !== undefined;
    },
    async create(body: Scim): Promise<Scim> {
      const given = parse(body);
      const holder = holderOf(given) ?? sameName(given);
      if (holder && saidOf(holder)) throw scimError(409, 'uniqueness', `userName "${given.userName}" is there already`);
      // Who has signed in before he was told of is the same one.
      const user =
        holder ??
        (await makeExternalUser(deps, {
          id: principalsOf(given)[0]!,
          displayName: given.displayName ?? given.userName,
        }));
      return write(user.metadata.name, given);
    },
    async replace(id: string, body: Scim): Promise<Scim> {
      find(id);
      return write(id, parse(body));
    },
    async patch(id: string, body: unknown): Promise<Scim> {
      const { user, said } = find(id);
      return write(id, parse(patched(show(user, said), body)));
    },
    async remove(id: string): Promise<void> {
      find(id);
      await endTokens(deps, id);
      await ignoreNotFound(deps.resources.delete('user', { name: id }));
    },
  };
}

async function endTokens(deps: AuthDeps, userId: string): Promise<void> {
  const tokens = [...deps.caches.token.all()].filter(token => token.userId === userId);
  for (const { metadata } of tokens) await revokeToken(deps, metadata.name);
}

/** Follows from what it is of, so that two at once make one. */
export const nameFor = (prefix: string, ...parts: readonly string[]): string =>
  `${prefix}${hash('sha256', JSON.stringify(parts), 'hex').slice(0, 16)}`;
