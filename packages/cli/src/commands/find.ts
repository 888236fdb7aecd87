/** What a word on the command line means: an id, or a name where it means one thing alone. */
import { invalid, notFound } from '@drover/base';
import type { V3Resource } from '../client.ts';
import type { Context } from '../context.ts';

/** By id, user name or display name; throws NotFound that says where to look. */
export async function findUser(context: Context, wanted: string): Promise<V3Resource> {
  const all = await context.client.list('users');
  const found = all.find(user => user.id === wanted) ?? all.find(user => user['username'] === wanted);
  if (!found) throw notFound('user', wanted);
  return found;
}

/** By id, by the part of it behind the colon, or by name; in one cluster, where that is given. */
export async function findProject(context: Context, wanted: string, clusterId?: string): Promise<V3Resource> {
  const all = await context.client.list('projects', clusterId === undefined ? {} : { clusterId });
  const found = all.filter(({ id }) => id === wanted || id.split(':')[1] === wanted);
  if (found.length === 0) found.push(...all.filter(({ name }) => name === wanted));
  const ids = found.map(({ id }) => id).join(' and ');
  if (found.length > 1) throw invalid('project', `"${wanted}" is the name of ${ids}; use the id, or --cluster`);
  const there = all.map(({ id, name }) => `${name} (${id})`).join(', ');
  if (!found[0])
    throw invalid(
      'project',
      `"${wanted}" ${there ? `must be one of ${there}` : 'is not there: there is none that you see'}`,
    );
  return found[0];
}

/** Throws Invalid that names the roles there are, where this one is not among them; before anything is made for it. */
export async function requireRole(
  context: Context,
  id: string,
  { plural, flag, filter = {} }: { plural: string; flag: string; filter?: Record<string, string> },
): Promise<void> {
  const there = (await context.client.list(plural, filter)).map(role => role.id);
  // Who may not see the roles may still be let in with one.
  if (there.length > 0 && !there.includes(id)) throw invalid(flag, `"${id}" must be one of ${there.sort().join(', ')}`);
}
