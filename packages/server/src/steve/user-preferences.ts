/** `userpreferences`: all that one user has set, as one object of texts. They are the same that v3's preferences are. */
import { invalid } from '@drover/base';
import type { ApiDeps, ApiRequest } from '../api/behaviour.ts';
import { createOne, deleteOne, updateOne } from '../api/crud.ts';
import { findType } from '../api/registry.ts';
import { namespaceIndex } from '../resources/index.ts';

const type = findType('preference')!;

export function preferencesOf(
  deps: Pick<ApiDeps, 'caches'>,
  { userId, root }: { readonly userId: string; readonly root: string },
): object {
  const data = Object.fromEntries(valuesOf(deps, userId));
  const self = `${root}/userpreferences/${userId}`;
  return { id: userId, type: 'userpreference', links: { self, update: self, remove: self }, data };
}

function valuesOf({ caches }: Pick<ApiDeps, 'caches'>, userId: string): [string, string][] {
  return caches.preference.by(namespaceIndex, userId).map(({ metadata, value }) => [metadata.name, value ?? '']);
}

/** Has these and no others. Throws Invalid naming what is wrong with one; those before it are then changed already. */
export async function replacePreferences(request: ApiRequest, body: unknown): Promise<void> {
  const { data } = (typeof body === 'object' && body !== null ? body : {}) as { data?: unknown };
  if (data !== undefined && (typeof data !== 'object' || data === null || Array.isArray(data)))
    throw invalid('data', 'must be an object of texts', 'InvalidBodyContent');
  const wanted = new Map(Object.entries(data ?? {}));
  for (const [name, value] of wanted)
    if (typeof value !== 'string') throw invalid(`data.${name}`, 'must be a text', 'InvalidBodyContent');
  const before = new Map(valuesOf(request.deps, request.caller.userId));
  for (const name of before.keys()) if (!wanted.has(name)) await deleteOne(request, type, name);
  for (const [name, value] of wanted) {
    // An empty one is none: that is how they are kept.
    if (value === '') {
      if (before.has(name)) await deleteOne(request, type, name);
    } else if (!before.has(name)) await createOne(request, type, { name, value });
    else if (before.get(name) !== value) await updateOne(request, type, { id: name, body: { value }, replace: false });
  }
}
