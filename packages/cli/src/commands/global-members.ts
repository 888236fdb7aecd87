/** What people and groups may do on the server itself: who holds a global role, and who is given it or loses it. */
import { invalid, notFound } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { printList } from '../output.ts';
import { ageColumn, column, tellDone } from './shown.ts';
import { binderOf, bindingsFor, findSubject, type SubjectFlags, subjectOf } from './subject.ts';

/** By id, or by the name it is shown under. */
async function findGlobalRole(context: Context, wanted: string): Promise<Pick<V3Resource, 'id'>> {
  const all = await context.client.list('globalRoles');
  // Who sees none is told by the server what he may not.
  if (all.length === 0) return { id: wanted };
  const found = all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name === wanted);
  if (found) return found;
  const ids = all.map(({ id }) => id).sort();
  throw invalid(
    'role',
    `"${wanted}" must be one of ${ids.join(', ')}; roles in clusters and projects are given by members`,
  );
}

export async function listHolders(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findGlobalRole(context, wanted);
  const rows = await context.client.list('globalRoleBindings', { globalRoleId: id });
  const columns = [column('ID', 'id'), { title: 'WHO', value: binderOf }, ageColumn()];
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

/** `who` is a user by id or name, or with --group the principal of a group, such as `openldap_group://…`. */
export async function giveRole(wanted: string, who: string, flags: SubjectFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id: globalRoleId } = await findGlobalRole(context, wanted);
  const body = { type: 'globalRoleBinding', globalRoleId, ...(await subjectOf(context, who, flags)) };
  const made = await context.client.create('globalRoleBindings', body);
  await tellDone(context, made, say('saved'));
}

export async function takeRole(wanted: string, who: string, flags: SubjectFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id: globalRoleId } = await findGlobalRole(context, wanted);
  const all = await context.client.list('globalRoleBindings', { globalRoleId });
  const bindings = bindingsFor(await findSubject(context, who, flags), all);
  if (bindings.length === 0) throw notFound('holder', who);
  for (const binding of bindings) await context.client.delete(binding);
  process.stderr.write(`${say('deleted', { type: 'holder', name: who })}\n`);
}
