/**
 * Which binding decides: what access.ts allows is put down to the first single binding that would allow it by itself. There
 * always is one, or it is everybody's own, because each right comes from one rule; so explaining can't disagree with deciding.
 */
import type { TypedResource } from '@drover/api';
import type { Access, Wanted } from '../auth/access.ts';
import { grantsAllow, subjectsOf } from '../auth/access.ts';
import { type Bound, bindingsOf, grantsFrom } from '../auth/grants.ts';
import type { Caller } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';

export interface ExplainDeps {
  readonly caches: Caches;
  readonly access: Access;
}

/** A binding as it is told: `own` where no binding is needed, as for one's own tokens. */
export interface Deciding {
  readonly type: Bound['type'] | 'own';
  readonly id?: string;
  /** The role that it binds, by id. */
  readonly role?: string;
  /** Where it holds: nothing for the whole server. */
  readonly scope?: string;
}

/** What lets the caller do this, or undefined where nothing does. */
export function decidedBy({ caches, access }: ExplainDeps, caller: Caller, wanted: Wanted): Deciding | undefined {
  if (!access.may(caller, wanted.verb, wanted.type, wanted.place)) return undefined;
  const bound = bindingsOf(caches, subjectsOf(caller)).find(one =>
    grantsAllow(caches, grantsFrom(caches, [one]), wanted),
  );
  return bound ? describeBinding(bound) : { type: 'own' };
}

export function describeBinding({ type, binding }: Bound): Deciding {
  const { name, namespace } = binding.metadata;
  const id = namespace === undefined ? name : `${namespace}:${name}`;
  return { type, id, role: roleOf({ type, binding } as Bound), scope: scopeOf({ type, binding } as Bound) };
}

export function roleOf({ type, binding }: Bound): string | undefined {
  return type === 'globalRoleBinding' ? binding.globalRoleName : binding.roleTemplateName;
}

export function scopeOf({ type, binding }: Bound): string | undefined {
  if (type === 'globalRoleBinding') return undefined;
  return type === 'clusterRoleTemplateBinding' ? binding.clusterName : binding.projectName;
}

/** In one line, for the audit log. */
export function decidingLine({ type, id, role }: Deciding): string {
  return id === undefined ? type : `${type} ${id} (${role ?? ''})`;
}

type SubjectFields = Pick<
  TypedResource<'clusterRoleTemplateBinding'>,
  'userName' | 'userPrincipalName' | 'groupName' | 'groupPrincipalName'
>;

export interface Subject {
  readonly kind: 'user' | 'group';
  /** The user's id, or the principal that the binding names. */
  readonly id: string;
  readonly name: string;
}

/** Whom the binding names, as he is shown. */
export function subjectOf(caches: Caches, binding: object): Subject {
  const { userName, userPrincipalName, groupName, groupPrincipalName } = binding as SubjectFields;
  const group = groupPrincipalName ?? groupName;
  if (group) return { kind: 'group', id: group, name: group };
  const id = userName ?? userPrincipalName?.replace(/^local:\/\//, '') ?? '';
  const user = caches.user.get(id);
  return { kind: 'user', id, name: user?.displayName || user?.username || id };
}
