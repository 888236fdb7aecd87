/**
 * The groups that somebody is in. Active Directory is asked once, and walks from group to group itself; others are walked here,
 * fifty groups a question, never the same twice and only so far: groups may be in each other.
 */
import { forbidden } from '@drover/base';
import type { Client, Entry } from 'ldapts';
import { groupAttributes, oneOf, searchAll, valuesOf } from './entries.ts';
import { groupsOfFilter, inChainFilter } from './filters.ts';
import type { DirectorySettings } from './settings.ts';

const mostGroups = 2000;
const mostRounds = 32;
const batch = 50;

/** `user` is the user's entry with what userAttributes name. */
export async function groupsOf(client: Client, settings: DirectorySettings, user: Entry): Promise<Entry[]> {
  const attributes = groupAttributes(settings);
  const search = (filter: ReturnType<typeof groupsOfFilter>) =>
    searchAll(client, settings.group.base, { filter, attributes, most: mostGroups });
  if (settings.name === 'activedirectory' && settings.nested) return search(inChainFilter(settings, user.dn));
  const found = new Map<string, Entry>();
  const add = (entries: readonly Entry[]): Entry[] => {
    const fresh = entries.filter(entry => !found.has(entry.dn.toLowerCase()));
    for (const entry of fresh) found.set(entry.dn.toLowerCase(), entry);
    if (found.size > mostGroups)
      throw forbidden(`the directory names more than ${mostGroups} groups; narrow them there`);
    return fresh;
  };
  let round: Entry[];
  const member = oneOf(user, settings.group.memberValue) ?? user.dn;
  round = add(await search(groupsOfFilter(settings, { members: [member] })));
  // What the user's own entry says of its groups counts too, as far as they are groups below the base.
  const said = settings.name === 'activedirectory' ? [] : valuesOf(user, settings.user.memberOf);
  for (const dns of batches(said.filter(dn => !found.has(dn.toLowerCase())).slice(0, mostGroups)))
    round.push(...add(await search(groupsOfFilter(settings, { dns }))));
  if (found.size === 0 && member !== user.dn)
    round = add(await search(groupsOfFilter(settings, { members: [user.dn] })));
  if (!settings.nested) return [...found.values()];
  for (let rounds = 0; round.length > 0 && rounds < mostRounds; rounds++) {
    const next: Entry[] = [];
    for (const entries of batches(round))
      next.push(...add(await search(groupsOfFilter(settings, { members: entries.map(({ dn }) => dn) }))));
    round = next;
  }
  return [...found.values()];
}

function batches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / batch) }, (_, at) => all.slice(at * batch, (at + 1) * batch));
}
