/**
 * Whether a caller may change or delete this very resource: the one decision behind PUT and DELETE and behind the links `update` and
 * `remove`, so that a link is there exactly where following it is not refused.
 */
import type { TypedResource, TypeId } from '@drover/api';
import type { StatusError } from '@drover/base';
import type { ApiView, ServedType } from './behaviour.ts';
import { onceIn } from './once-in.ts';

export type Change = 'update' | 'delete';

/** What is stored, or the v3 data of what is not. */
type Subject = TypedResource<TypeId>;

/** Whether his rights let him. */
export function mayChange(view: ApiView, type: ServedType, change: Change, subject: Subject): boolean {
  const { behaviour, stored } = type;
  const own = change === 'update' ? behaviour.mayUpdate : behaviour.mayDelete;
  if (own) return own(view, subject);
  const { source } = behaviour;
  // Whoever sees one of these may change it, as far as they are changed at all.
  if (source) return (change === 'update' ? source.update : source.remove) !== undefined;
  const { name, namespace } = subject.metadata;
  return (
    mayInAll(view, stored!, change, namespace) ||
    view.deps.auth.access.may(view.caller, change, stored!, { namespace, name })
  );
}

/** What stands against it besides, as the error that who tries is told. */
function objection(
  view: ApiView,
  { behaviour: { objections } }: ServedType,
  change: Change,
  subject: Subject,
): (() => StatusError) | undefined {
  return objections?.[change]?.(view, subject);
}

/** Throws what stands against it. */
export function requireNoObjection(view: ApiView, type: ServedType, change: Change, subject: Subject): void {
  const refuse = objection(view, type, change, subject);
  if (refuse) throw refuse();
}

/** Whether there is a link for it. */
export const isOffered = (view: ApiView, type: ServedType, change: Change, subject: Subject): boolean =>
  mayChange(view, type, change, subject) && !objection(view, type, change, subject);

/** Whether he may with each of the namespace, whatever its name. */
const mayInAll = (view: ApiView, type: TypeId, change: Change, namespace: string | undefined): boolean =>
  onceIn(view, `${change} ${type} ${namespace ?? ''}`, () =>
    view.deps.auth.access.may(view.caller, change, type, { namespace }),
  );
