/** Who has which role in a cluster or a project: shown, given, changed and taken. */
import { invalid, notFound } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { type Column, printList } from '../output.ts';
import { findProject, requireRole } from './find.ts';
import { ageColumn, column, tellDone } from './shown.ts';
import { binderOf, bindingsFor, findSubject, type SubjectFlags, subjectOf } from './subject.ts';

const kinds = {
  cluster: { type: 'clusterRoleTemplateBinding', usual: 'cluster-member' },
  project: { type: 'projectRoleTemplateBinding', usual: 'project-member' },
} as const;

type Kind = keyof typeof kinds;

interface MemberFlags extends SubjectFlags {
  readonly role?: string;
}

export const memberColumns: Column<V3Resource>[] = [
  column('ID', 'id'),
  { title: 'MEMBER', value: binderOf },
  column('ROLE', 'roleTemplateId'),
  ageColumn(),
];

/** The place that the word means, as bindings name it. */
async function placeOf(context: Context, kind: Kind, wanted: string): Promise<Readonly<Record<string, string>>> {
  if (kind === 'cluster') return { clusterId: (await findCluster(context, wanted)).id };
  const { cluster } = context.flags;
  const clusterId = cluster === undefined ? undefined : (await findCluster(context, cluster)).id;
  return { projectId: (await findProject(context, wanted, clusterId)).id };
}

const listIn = (context: Context, kind: Kind, place: Readonly<Record<string, string>>) =>
  context.client.list(`${kinds[kind].type}s`, place);

const checkRole = (context: Context, kind: Kind, role: string): Promise<void> =>
  requireRole(context, role, { plural: 'roleTemplates', flag: '--role', filter: { context: kind } });

const bind = (context: Context, kind: Kind, body: Readonly<Record<string, string>>): Promise<V3Resource> =>
  context.client.create(`${kinds[kind].type}s`, { type: kinds[kind].type, ...body });

export async function listMembers(kind: Kind, wanted: string, flags: SubjectFlags): Promise<void> {
  await using context = await openContext(flags);
  const rows = await listIn(context, kind, await placeOf(context, kind, wanted));
  await printList(rows, memberColumns, { format: context.format, none: say('nothing') });
}

export async function addMember(kind: Kind, [wanted, who]: readonly string[], flags: MemberFlags): Promise<void> {
  await using context = await openContext(flags);
  const place = await placeOf(context, kind, wanted!);
  const roleTemplateId = flags.role ?? kinds[kind].usual;
  await checkRole(context, kind, roleTemplateId);
  const subject = await subjectOf(context, who!, flags);
  await tellDone(context, await bind(context, kind, { ...place, roleTemplateId, ...subject }), say('saved'));
}

/** From now on he has this role there and no other. The new one comes first, so that he is never without any. */
export async function setMember(kind: Kind, [wanted, who]: readonly string[], flags: MemberFlags): Promise<void> {
  await using context = await openContext(flags);
  const place = await placeOf(context, kind, wanted!);
  const { role } = flags;
  if (role === undefined) throw invalid('--role', 'must be given');
  await checkRole(context, kind, role);
  const subject = await findSubject(context, who!, flags);
  const before = bindingsFor(subject, await listIn(context, kind, place));
  if (before.length === 0) throw notFound('member', who!);
  const [kept] = before.filter(binding => binding['roleTemplateId'] === role);
  const now = kept ?? (await bind(context, kind, { ...place, roleTemplateId: role, ...subject.field }));
  for (const binding of before) if (binding.id !== now.id) await context.client.delete(binding);
  await tellDone(context, now, say('saved'));
}

/** All of his roles there, or the one that is named. */
export async function removeMember(kind: Kind, [wanted, who]: readonly string[], flags: MemberFlags): Promise<void> {
  await using context = await openContext(flags);
  const all = await listIn(context, kind, await placeOf(context, kind, wanted!));
  const his = bindingsFor(await findSubject(context, who!, flags), all);
  const { role } = flags;
  const bindings = role === undefined ? his : his.filter(binding => binding['roleTemplateId'] === role);
  if (bindings.length === 0) throw notFound('member', role === undefined ? who! : `${who} as ${role}`);
  for (const binding of bindings) await context.client.delete(binding);
  process.stderr.write(`${say('deleted', { type: 'member', name: who! })}\n`);
}
