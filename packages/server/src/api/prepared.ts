/**
 * What a type checks of its own before anything is written, on whichever way it comes. The types that carry rights have to have such a check:
 * where it is missing nothing of them is written at all, rather than everything unchecked.
 */
import type { TypedResource, TypeId, V3Data } from '@drover/api';
import { unavailable } from '@drover/base';
import type { ApiRequest, ServedType } from './behaviour.ts';

const checkedWhenMade: ReadonlySet<string> = new Set([
  'clusterRoleTemplateBinding',
  'globalRole',
  'globalRoleBinding',
  'projectRoleTemplateBinding',
  'roleTemplate',
]);
/** What a binding says never changes, so that there is nothing to check. */
const checkedWhenChanged: ReadonlySet<string> = new Set(['globalRole', 'roleTemplate']);

/** The input as the type completes it. Throws what is wrong with it, and ServiceUnavailable where its check is missing. */
export async function preparedCreate(request: ApiRequest, type: ServedType, input: V3Data): Promise<V3Data> {
  const { prepareCreate } = type.behaviour;
  if (!prepareCreate && checkedWhenMade.has(type.declaration.id)) throw unchecked(type);
  return (await prepareCreate?.(request, input)) ?? input;
}

/** The same for a change of what is there. */
export async function preparedUpdate(
  request: ApiRequest,
  type: ServedType,
  change: { readonly input: V3Data; readonly seen: TypedResource<TypeId>; readonly replace?: boolean },
): Promise<V3Data> {
  const { input, seen, replace } = change;
  const { prepareUpdate } = type.behaviour;
  if (!prepareUpdate && checkedWhenChanged.has(type.declaration.id)) throw unchecked(type);
  return (await prepareUpdate?.(request, input, seen, replace === undefined ? undefined : { replace })) ?? input;
}

const unchecked = ({ declaration }: ServedType) =>
  unavailable(`nothing of ${declaration.pluralName} is written: what checks them is missing`);
