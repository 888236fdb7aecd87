/**
 * Groups as SCIM sees them. What a group gives is bound to its principal, by its externalId or its name; its members hold it from the
 * next request on, beside whatever their sign-ins say.
 */
import type { ScimGroup } from '@drover/api';
import { ignoreExists, ignoreNotFound, notFound } from '@drover/base';
import type { AuthDeps } from '../auth/deps.ts';
import { noteGroups } from '../auth-providers/external-users.ts';
import { isGoodName } from '../auth-providers/identity.ts';
import { invalidValue, patched, type Scim, schemas, scimError, textOf } from './protocol.ts';
import { nameFor } from './users.ts';

const mostMembers = 20_000;

interface Given {
  readonly displayName: string;
  readonly externalId?: string;
  readonly members: readonly string[];
}

export interface ScimGroupsDeps extends AuthDeps {
  /** Whether the user is one of this provider's. */
  readonly hasUser: (id: string) => boolean;
}

export function scimGroups(deps: ScimGroupsDeps, provider: string, base: string) {
  const own = () =>
    [...deps.caches.scimGroup.all()].filter(group => group.provider === provider && !group.metadata.deletionTimestamp);
  const show = ({ metadata, displayName, externalId, members }: ScimGroup): Scim => ({
    schemas: [schemas.group],
    id: metadata.name,
    displayName,
    ...(externalId ? { externalId } : {}),
    members: (members ?? []).map(value => ({ value, $ref: `${base}/Users/${value}`, type: 'User' })),
    meta: { resourceType: 'Group', created: metadata.creationTimestamp, location: `${base}/Groups/${metadata.name}` },
  });
  const find = (id: string): ScimGroup => {
    const group = deps.caches.scimGroup.get(id);
    if (group?.provider !== provider) throw notFound('Group', id.slice(0, 64));
    return group;
  };
  const parse = (body: Scim, before: readonly string[] = []): Given => {
    const displayName = textOf(body['displayName'], 'displayName');
    if (displayName === undefined || !isGoodName(displayName))
      throw invalidValue('displayName is required, as printable text');
    const given = body['members'] ?? [];
    if (!Array.isArray(given) || given.length > mostMembers)
      throw invalidValue(`members must be a list of at most ${mostMembers}`);
    const members = [...new Set(given.map(one => String((one as { value?: unknown } | null)?.value ?? '')))];
    const known = new Set(before);
    const stranger = members.find(id => !known.has(id) && !deps.hasUser(id));
    if (stranger !== undefined)
      throw invalidValue(`members: there is no user "${stranger.slice(0, 64)}" of this provider`);
    return { displayName, externalId: textOf(body['externalId'], 'externalId'), members };
  };

  /** What the groups that he is in now give him. */
  const syncMembers = async (userIds: Iterable<string>): Promise<void> => {
    // One walk through all groups, whether one member changes or thousands do.
    const groupsOf = new Map([...userIds].map((userId): [string, Set<string>] => [userId, new Set()]));
    for (const { displayName, externalId, members } of own()) {
      const ids = [externalId, displayName].filter(isGoodName).map(name => `${provider}_group://${name}`);
      for (const member of members ?? []) for (const id of ids) groupsOf.get(member)?.add(id);
    }
    for (const [userId, groups] of groupsOf)
      if (deps.caches.user.get(userId))
        await noteGroups(deps, userId, { provider: `scim:${provider}`, groups: [...groups].sort() });
  };

  /** By the name that its principal is made of: no two groups of one provider have it. */
  const requireFree = (given: Given, id?: string): void => {
    const name = given.displayName.toLowerCase();
    if (own().some(group => group.metadata.name !== id && group.displayName?.toLowerCase() === name))
      throw scimError(409, 'uniqueness', `displayName "${given.displayName}" is another group's`);
  };

  const write = async (id: string, given: Given): Promise<Scim> => {
    const { members: before = [], displayName, externalId } = find(id);
    requireFree(given, id);
    const group = await deps.resources.modify('scimGroup', { name: id }, seen => ({ ...seen, ...given }));
    const renamed = displayName !== given.displayName || externalId !== given.externalId;
    const changed = new Set(before).symmetricDifference(new Set(given.members));
    await syncMembers(renamed ? [...before, ...given.members] : changed);
    return show(group);
  };

  return {
    all: (): Scim[] => own().map(show),
    get: (id: string): Scim => show(find(id)),
    async create(body: Scim): Promise<Scim> {
      const given = parse(body);
      requireFree(given);
      // One that was called so before may have the id.
      const called = given.displayName.toLowerCase();
      const free = (round: number): string => {
        const id = nameFor('sg-', provider, called, ...(round > 0 ? [String(round)] : []));
        const there = deps.caches.scimGroup.get(id);
        return there && there.displayName?.toLowerCase() !== called ? free(round + 1) : id;
      };
      const name = free(0);
      const group = await ignoreExists(deps.resources.create('scimGroup', { metadata: { name }, provider, ...given }));
      if (!group) throw scimError(409, 'uniqueness', `displayName "${given.displayName}" is another group's`);
      await syncMembers(given.members);
      return show(group);
    },
    replace: (id: string, body: Scim): Promise<Scim> => write(id, parse(body, find(id).members)),
    async patch(id: string, body: unknown): Promise<Scim> {
      const group = find(id);
      const members = (group.members ?? []).map(value => ({ value }));
      return write(id, parse(patched({ ...show(group), members }, byIdAlone(body)), group.members));
    },
    async remove(id: string): Promise<void> {
      const { members = [] } = find(id);
      await ignoreNotFound(deps.resources.delete('scimGroup', { name: id }));
      await syncMembers(members);
    },
  };
}

/**
 * The patch with members named by their ids alone, as they are compared: clients say more of them, or less, than they were shown, and
 * whoever is taken out must go whatever else is said of him.
 */
function byIdAlone(body: unknown): unknown {
  const { Operations: operations, ...more } = (body ?? {}) as { readonly Operations?: unknown };
  if (!Array.isArray(operations)) return body;
  const bare = (one: unknown) => {
    const id = typeof one === 'object' && one !== null ? (one as Scim)['value'] : one;
    return typeof id === 'string' ? { value: id } : one;
  };
  return {
    ...more,
    Operations: operations.map((operation: Scim | null) => {
      const isAboutMembers = /^(?:urn:[\w.:]+:Group:)?members$/i.test(String(operation?.['path'] ?? ''));
      const value = operation?.['value'];
      if (!isAboutMembers || value === undefined || value === null) return operation;
      return { ...operation, path: 'members', value: [value].flat().map(bare) };
    }),
  };
}
