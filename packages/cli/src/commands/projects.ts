/** Projects: what is in a cluster, by the teams it is for, with what each may take of it. */
import { invalid } from '@drover/base';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { alignColumns, printData, printList } from '../output.ts';
import { askYes } from '../prompt.ts';
import { findProject } from './find.ts';
import { memberColumns } from './members.ts';
import { type QuotaFlags, quotaColumns, quotaFields, quotaRows } from './quotas.ts';
import { ageColumn, column, tellDone } from './shown.ts';

export async function listProjects(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const clusterId = flags.cluster === undefined ? undefined : (await findCluster(context, flags.cluster)).id;
  const rows = await context.client.list('projects', clusterId === undefined ? {} : { clusterId });
  const columns = [
    column('ID', 'id'),
    column('NAME', 'name'),
    column('CLUSTER', 'clusterId'),
    column('STATE', 'state'),
  ];
  await printList(rows, [...columns, ageColumn()], { format: context.format, none: say('nothing') });
}

export async function createProject(name: string, flags: QuotaFlags & { description?: string }): Promise<void> {
  await using context = await openContext(flags);
  const clusterId = (await findCluster(context, undefined)).id;
  const body = { type: 'project', name, clusterId, description: flags.description, ...quotaFields(flags) };
  const project = await context.client.create('projects', body);
  await tellDone(context, project, `${project.id} ${name}`);
}

export async function setProject(
  wanted: string,
  flags: QuotaFlags & { name?: string; description?: string },
): Promise<void> {
  await using context = await openContext(flags);
  const { name, description } = flags;
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...quotaFields(flags),
  };
  if (Object.keys(change).length === 0) throw invalid('projects set', 'needs a flag that says what is to change');
  const project = await findProject(context, wanted, await clusterGiven(context));
  await tellDone(context, await context.client.update(project, change), say('saved'));
}

export async function describeProject(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const project = await findProject(context, wanted, await clusterGiven(context));
  const members = await context.client.list('projectRoleTemplateBindings', { projectId: project.id });
  if (context.format !== 'table') return printData({ project, members }, context.format);
  const facts = ['name', 'id', 'clusterId', 'description', 'state'].map(name => [name, String(project[name] ?? '')]);
  process.stdout.write(`${alignColumns(facts)}\n`);
  const limits = quotaRows(project);
  if (limits.length > 0) await printList(limits, quotaColumns, { format: 'table', none: '' });
  await printList(members, memberColumns, { format: 'table', none: say('nothing') });
}

export async function deleteProject(wanted: string, flags: GlobalFlags & { yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const project = await findProject(context, wanted, await clusterGiven(context));
  const named = { type: 'project', name: project.name ?? project.id };
  if (!flags.yes && !(await askYes(say('deleteAsk', named), '--yes'))) return;
  await context.client.delete(project);
  process.stderr.write(`${say('deleted', named)}\n`);
}

async function clusterGiven(context: Context): Promise<string | undefined> {
  const { cluster } = context.flags;
  return cluster === undefined ? undefined : (await findCluster(context, cluster)).id;
}
