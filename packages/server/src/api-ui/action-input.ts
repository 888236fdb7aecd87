/** The fields that an action's input has: from the schemas that its caller sees, which hold those of inputs too. */
import type { SchemaFields } from '@drover/api';
import type { View } from './view.ts';

/** Undefined for an action that takes nothing. */
export function inputFieldsOf(view: View, input: string | undefined): SchemaFields | undefined {
  const fields = input === undefined ? undefined : view.schemas.get(input)?.resourceFields;
  if (!fields) return undefined;
  // Whoever calls an action sends all of its input: whether a field may be changed later says nothing here.
  const taken = Object.entries(fields).filter(([, field]) => field.create || field.update);
  return taken.length > 0 ? Object.fromEntries(taken) : undefined;
}
