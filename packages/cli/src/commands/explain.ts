/** can-i and who-can: what the server decides, with the binding that decides it. A no ends with 1, as kubectl's does. */
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { printData, printList } from '../output.ts';
import { findProject, findUser } from './find.ts';

interface QuestionFlags extends GlobalFlags {
  readonly project?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly as?: string;
}

interface Deciding {
  readonly type: string;
  readonly id?: string;
  readonly role?: string;
  readonly scope?: string;
}

interface CanI {
  readonly allowed: boolean;
  readonly by?: Deciding;
  readonly reason?: string;
  readonly mayGrant?: readonly string[];
}

interface WhoCan {
  readonly subjects: readonly { readonly kind: string; readonly id: string; readonly name: string; by: Deciding }[];
  readonly complete: boolean;
}

async function questionOf(context: Context, verb: string, resource: string): Promise<Record<string, unknown>> {
  const flags: QuestionFlags = context.flags;
  const clusterId = flags.cluster === undefined ? undefined : (await findCluster(context, flags.cluster)).id;
  const projectId = flags.project === undefined ? undefined : (await findProject(context, flags.project, clusterId)).id;
  return { verb, resource, clusterId, projectId, namespace: flags.namespace, name: flags.name };
}

const bindingOf = ({ type, id, role }: Deciding) => (id === undefined ? type : `${role ?? ''} (${type} ${id})`);

export async function canI(verb: string, resource: string, flags: QuestionFlags): Promise<boolean> {
  await using context = await openContext(flags);
  const question = await questionOf(context, verb, resource);
  if (flags.as !== undefined) question['userId'] = (await findUser(context, flags.as)).id;
  const answer = await context.client.request<CanI>('POST', '/v1-access?action=can-i', question);
  if (context.format !== 'table') {
    await printData(answer, context.format);
    return answer.allowed;
  }
  const { allowed, by, reason, mayGrant = [] } = answer;
  const why = by ? bindingOf(by) : reason;
  process.stdout.write(`${allowed ? 'yes' : 'no'}${why ? `: ${why}` : ''}\n`);
  if (!allowed && mayGrant.length > 0) process.stderr.write(`${say('mayGrant', { names: mayGrant.join(', ') })}\n`);
  return allowed;
}

export async function whoCan(verb: string, resource: string, flags: QuestionFlags): Promise<void> {
  await using context = await openContext(flags);
  const question = await questionOf(context, verb, resource);
  const answer = await context.client.request<WhoCan>('POST', '/v1-access?action=who-can', question);
  if (context.format !== 'table') return printData(answer, context.format);
  const columns = [
    { title: 'WHO', value: (row: WhoCan['subjects'][number]) => row.name },
    { title: 'ID', value: (row: WhoCan['subjects'][number]) => row.id },
    { title: 'ROLE', value: (row: WhoCan['subjects'][number]) => row.by.role },
    { title: 'IN', value: (row: WhoCan['subjects'][number]) => row.by.scope ?? '*' },
    { title: 'BINDING', value: (row: WhoCan['subjects'][number]) => row.by.id },
  ];
  await printList(answer.subjects, columns, { format: 'table', none: say('nothing') });
  if (!answer.complete) process.stderr.write(`${say('maybeOthers')}\n`);
}
