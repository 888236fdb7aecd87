/** What an object is after a merge patch (RFC 7386): shown at once, before the server has said the same. */

type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export function mergePatch<T>(target: T, patch: unknown): T {
  if (!isMap(patch)) return patch as T;
  const merged: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  return merged as T;
}
