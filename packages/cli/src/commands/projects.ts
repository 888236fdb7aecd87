/** projects and namespaces: what is in a cluster, by the teams it is for; who is in a project; and what moves where. */
import { invalid, notFound } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { age, alignColumns, type Column, printData, printList } from '../output.ts';
import { askYes } from '../prompt.ts';
import { findProject, findUser } from './find.ts';
import { type QuotaFlags, quotaColumns, quotaFields, quotaOf, quotaRows } from './quotas.ts';

const column = (title: string, name: string): Column<V3Resource> => ({
  title,
  value: row => row[name] as string | undefined,
});
const ageColumn: Column<V3Resource> = { title: 'AGE', value: row => age(row['created'] as string | undefined) };
const memberOf = (row: V3Resource) =>
  (row['userId'] ?? row['userPrincipalId'] ?? row['groupPrincipalId'] ?? row['groupId'] ?? undefined) as
    | string
    | undefined;
const memberColumns: Column<V3Resource>[] = [
  column('ID', 'id'),
  { title: 'MEMBER', value: memberOf },
  column('ROLE', 'roleTemplateId'),
  ageColumn,
];

async function done(context: Context, resource: V3Resource, line: string): Promise<void> {
  if (context.format === 'table') process.stdout.write(`${line}\n`);
  else await printData(resource, context.format);
}

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
  await printList(rows, [...columns, ageColumn], { format: context.format, none: say('nothing') });
}

export async function createProject(name: string, flags: QuotaFlags & { description?: string }): Promise<void> {
  await using context = await openContext(flags);
  const clusterId = (await findCluster(context, undefined)).id;
  const body = { type: 'project', name, clusterId, description: flags.description, ...quotaFields(flags) };
  const project = await context.client.create('projects', body);
  await done(context, project, `${project.id} ${name}`);
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
  await done(context, await context.client.update(project, change), say('saved'));
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

export async function listProjectMembers(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findProject(context, wanted, await clusterGiven(context));
  const rows = await context.client.list('projectRoleTemplateBindings', { projectId: id });
  await printList(rows, memberColumns, { format: context.format, none: say('nothing') });
}

interface MemberFlags extends GlobalFlags {
  readonly role?: string;
  readonly group?: boolean;
}

/** `who` is a user by id or name, or with --group the principal of a group, such as `openldap_group://…`. */
export async function addProjectMember(wanted: string, who: string, flags: MemberFlags): Promise<void> {
  await using context = await openContext(flags);
  const project = await findProject(context, wanted, await clusterGiven(context));
  const roleTemplateId = flags.role ?? 'project-member';
  const roles = (await context.client.list('roleTemplates', { context: 'project' })).map(({ id }) => id);
  if (roles.length > 0 && !roles.includes(roleTemplateId))
    throw invalid('--role', `"${roleTemplateId}" must be one of ${roles.sort().join(', ')}`);
  const subject = flags.group ? { groupPrincipalId: who } : { userId: (await findUser(context, who)).id };
  const body = { type: 'projectRoleTemplateBinding', projectId: project.id, roleTemplateId, ...subject };
  await done(context, await context.client.create('projectRoleTemplateBindings', body), say('saved'));
}

export async function removeProjectMember(wanted: string, who: string, flags: MemberFlags): Promise<void> {
  await using context = await openContext(flags);
  const project = await findProject(context, wanted, await clusterGiven(context));
  const id = flags.group ? who : (await findUser(context, who)).id;
  const all = await context.client.list('projectRoleTemplateBindings', { projectId: project.id });
  const bindings = all.filter(binding => memberOf(binding) === id);
  if (bindings.length === 0) throw notFound('member', who);
  for (const binding of bindings) await context.client.delete(binding);
  process.stderr.write(`${say('deleted', { type: 'member', name: who })}\n`);
}

export async function listNamespaces(flags: GlobalFlags & { project?: string }): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const project = flags.project === undefined ? undefined : await findProject(context, flags.project, id);
  const all = await context.client.list(`cluster/${id}/namespaces`);
  const rows = project ? all.filter(row => row['projectId'] === project.id) : all;
  const columns = [column('NAME', 'name'), column('PROJECT', 'projectId'), column('STATE', 'state'), ageColumn];
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

export async function createNamespace(
  name: string,
  flags: GlobalFlags & { project?: string; quota?: string },
): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const projectId = flags.project === undefined ? undefined : (await findProject(context, flags.project, id)).id;
  const made = await context.client.create(`cluster/${id}/namespaces`, {
    type: 'namespace',
    name,
    projectId,
    ...(flags.quota === undefined ? {} : { resourceQuota: quotaOf(flags.quota, '--quota') }),
  });
  await done(context, made, `${name}${projectId === undefined ? '' : ` ${projectId}`}`);
}

export async function deleteNamespace(name: string, flags: GlobalFlags & { yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const namespace = await context.client.get(`/v3/cluster/${id}/namespaces/${encodeURIComponent(name)}`);
  const named = { type: 'namespace', name };
  if (!flags.yes && !(await askYes(say('deleteAsk', named), '--yes'))) return;
  await context.client.delete(namespace);
  process.stderr.write(`${say('deleting', named)}\n`);
}

/** Without a project it is then in none. */
export async function moveNamespace(name: string, to: string | undefined, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { id } = await findCluster(context, undefined);
  const projectId = to === undefined ? '' : (await findProject(context, to, id)).id;
  const namespace = await context.client.get(`/v3/cluster/${id}/namespaces/${encodeURIComponent(name)}`);
  await context.client.action(namespace, 'move', { projectId });
  process.stderr.write(`${say('saved')}\n`);
}
