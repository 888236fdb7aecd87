/** JSON merge patches (RFC 7386) for resources of the server's own; a strategic one means the same where no list is merged. */
import { invalid, messageOf, StatusError } from '@drover/base';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object with the patch applied. Throws UnsupportedMediaType for other kinds of patches, Invalid for one that can't be read. */
export function mergePatch(object: object, patch: string, contentType: string): Json {
  if (!/^application\/(merge-patch|strategic-merge-patch)\+json\b/.test(contentType))
    throw new StatusError(415, 'UnsupportedMediaType', 'a patch of this type must be application/merge-patch+json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(patch);
  } catch (error) {
    throw invalid('body', `is not valid JSON: ${messageOf(error)}`, 'InvalidBodyContent');
  }
  return mergeInto(object, parsed);
}

/** The object with a patch applied that is read already. Throws Invalid for one that is no object. */
export function mergeInto(object: object, patch: unknown): Json {
  if (!isObject(patch)) throw invalid('body', 'must be an object', 'InvalidBodyContent');
  return merge(object, patch);
}

function merge(target: unknown, patch: Json): Json {
  const merged: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete merged[key];
    else merged[key] = isObject(value) ? merge(merged[key], value) : value;
  }
  return merged;
}
