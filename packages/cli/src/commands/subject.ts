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

/** The field of a binding that says so. `system:authenticated` is everybody. */
export async function subjectOf(
  context: Context,
  who: string,
  { group }: SubjectFlags,
): Promise<Readonly<Record<string, string>>> {
  const kind = principal.exec(who)?.[1];
  if (group && kind === 'user') throw invalid('--group', `"${who}" is the principal of a user`);
  if (group || (kind !== undefined && kind !== 'user')) return { groupPrincipalId: who };
  return kind === 'user' ? { userPrincipalId: who } : { userId: (await findUser(context, who)).id };
}

/** Those of the bindings that are for him. */
export async function bindingsFor(
  context: Context,
  bindings: readonly V3Resource[],
  { who, flags }: { readonly who: string; readonly flags: SubjectFlags },
): Promise<V3Resource[]> {
  const ids = new Set<unknown>(Object.values(await subjectOf(context, who, flags)));
  // A directory's name may be typed in another spelling than it has there.
  if (principal.test(who)) ids.add(await asWritten(context, who));
  else if (!flags.group) for (const id of principalsOf(await findUser(context, who))) ids.add(id);
  return bindings.filter(binding => ids.has(binderOf(binding)) || ids.has(binding['userPrincipalId']));
}

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
