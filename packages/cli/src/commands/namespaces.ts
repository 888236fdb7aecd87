/** The namespaces of a cluster: those that one sees, their limits, and which project each is in. */
import { invalid } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { alignColumns, printData, printList } from '../output.ts';
import { askYes } from '../prompt.ts';
import { findProject } from './find.ts';
import { quotaColumns, quotaFields, quotaRows } from './quotas.ts';
import { ageColumn, column, tellDone } from './shown.ts';

async function find(context: Context, name: string): Promise<V3Resource> {
  const { id } = await findCluster(context, undefined);
  return context.client.get(`/v3/cluster/${id}/namespaces/${encodeURIComponent(name)}`);
}

interface LimitFlags extends GlobalFlags {
  readonly quota?: string;
  readonly containerLimit?: string;
}

export async function listNamespaces(flags: GlobalFlags & { project?: string }): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const project = flags.project === undefined ? undefined : await findProject(context, flags.project, id);
  const all = await context.client.list(`cluster/${id}/namespaces`);
  const rows = project ? all.filter(row => row['projectId'] === project.id) : all;
  const columns = [column('NAME', 'name'), column('PROJECT', 'projectId'), column('STATE', 'state'), ageColumn()];
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

export async function createNamespace(name: string, flags: LimitFlags & { project?: string }): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const projectId = flags.project === undefined ? undefined : (await findProject(context, flags.project, id)).id;
  const made = await context.client.create(`cluster/${id}/namespaces`, {
    type: 'namespace',
    name,
    projectId,
    ...quotaFields(flags),
  });
  await tellDone(context, made, `${name}${projectId === undefined ? '' : ` ${projectId}`}`);
}

export async function deleteNamespace(name: string, flags: GlobalFlags & { yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const namespace = await find(context, name);
  const named = { type: 'namespace', name };
  if (!flags.yes && !(await askYes(say('deleteAsk', named), '--yes'))) return;
  await context.client.delete(namespace);
  process.stderr.write(`${say('deleting', named)}\n`);
}

export async function describeNamespace(name: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const namespace = await find(context, name);
  if (context.format !== 'table') return printData(namespace, context.format);
  const facts = ['name', 'projectId', 'state', 'transitioningMessage', 'description'];
  const shown = facts.filter(fact => namespace[fact]).map(fact => [fact, String(namespace[fact])]);
  process.stdout.write(alignColumns(shown));
  const limits = quotaRows(namespace);
  if (limits.length === 0) return;
  process.stdout.write('\n');
  const columns = quotaColumns.filter(({ title }) => title !== 'GIVEN' && title !== 'NAMESPACE DEFAULT');
  await printList(limits, columns, { format: 'table', none: '' });
}

/** Its limits, within those of its project. */
export async function setNamespace(name: string, flags: LimitFlags & { description?: string }): Promise<void> {
  await using context = await openContext(flags);
  const { description } = flags;
  const change = { ...(description === undefined ? {} : { description }), ...quotaFields(flags) };
  if (Object.keys(change).length === 0) throw invalid('namespaces set', 'needs a flag that says what is to change');
  await tellDone(context, await context.client.update(await find(context, name), change), say('saved'));
}

/** Without a project it is then in none. */
export async function moveNamespace(name: string, to: string | undefined, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const projectId = to === undefined ? '' : (await findProject(context, to, id)).id;
  const namespace = await find(context, name);
  await context.client.action(namespace, 'move', { projectId });
  process.stderr.write(`${say('saved')}\n`);
}
