/**
 * Whom a role is for, as typed: a user by id or name, somebody elsewhere who may never have been here (`openldap_user://…`), or a group by
 * its principal. What is there already is found by whichever of a user's names it was given under.
 */
import { invalid, StatusError } from '@drover/base';
import type { V3Resource } from '../client.ts';
import type { Context, GlobalFlags } from '../context.ts';
import { findUser } from './find.ts';

export interface SubjectFlags extends GlobalFlags {
  readonly group?: boolean;
}

const principal = /^[a-z]+_(user|group|org|team):\/\//;

type SubjectField = Readonly<Record<string, string>>;

/** The field of a binding that says so. `system:authenticated` is everybody. */
export async function subjectOf(context: Context, who: string, flags: SubjectFlags): Promise<SubjectField> {
  return principalField(who, flags) ?? userField(await findUser(context, who));
}

const userField = ({ id }: V3Resource): SubjectField => ({ userId: id });

/** Undefined for what is no principal: that is a user of this server. */
function principalField(who: string, { group }: SubjectFlags): SubjectField | undefined {
  const kind = principal.exec(who)?.[1];
  if (group && kind === 'user') throw invalid('--group', `"${who}" is the principal of a user`);
  if (group || (kind !== undefined && kind !== 'user')) return { groupPrincipalId: who };
  return kind === 'user' ? { userPrincipalId: who } : undefined;
}

export interface FoundSubject {
  readonly field: SubjectField;
  /** Whatever bindings may call him. */
  readonly ids: ReadonlySet<string>;
}

/** The same with every name that he may have been given something under. */
export async function findSubject(context: Context, who: string, flags: SubjectFlags): Promise<FoundSubject> {
  const field = principalField(who, flags);
  if (!field) {
    const user = await findUser(context, who);
    return { field: userField(user), ids: new Set([user.id, ...principalsOf(user)]) };
  }
  // A directory's name may be typed in another spelling than it has there.
  return { field, ids: new Set(principal.test(who) ? [who, await asWritten(context, who)] : [who]) };
}

/** Those of the bindings that are for him. */
export const bindingsFor = ({ ids }: FoundSubject, bindings: readonly V3Resource[]): V3Resource[] =>
  bindings.filter(binding => ids.has(binderOf(binding) ?? '') || ids.has(String(binding['userPrincipalId'])));

async function asWritten(context: Context, id: string): Promise<string> {
  try {
    return (await context.client.get(`/v3/principals/${encodeURIComponent(id)}`)).id;
  } catch (error) {
    if (error instanceof StatusError && (error.status === 404 || error.status === 403)) return id;
    throw error;
  }
}

const principalsOf = (user: V3Resource) => (user['principalIds'] ?? []) as readonly string[];

/** Whom a binding is for, as it is shown. */
export const binderOf = (row: V3Resource): string | undefined =>
  (row['userId'] ?? row['userPrincipalId'] ?? row['groupPrincipalId'] ?? row['groupId'] ?? undefined) as
    | string
    | undefined;
