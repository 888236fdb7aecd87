/**
 * The grammar of v3's URLs: which version and context a path is of, which type, id and link it names. Empty segments
 * count for nothing, and each segment is decoded by itself, so that an id may hold `:` and an escaped `/`.
 */
import { notFound } from '@drover/base';

export interface V3Target {
  /** The cluster or project that the path is about: `/v3/cluster/<id>/…`, also in the plural. */
  readonly context?: { readonly type: 'cluster' | 'project'; readonly id: string };
  /** The type's id or plural as it was written; absent for the root of the version. */
  readonly type?: string;
  readonly id?: string;
  readonly link?: string;
  /** Where the schemas of what was asked are, as a path. */
  readonly schemasPath: string;
}

const subContext = /^(cluster|project)s?$/i;

export function parseV3Path(path: string): V3Target {
  const [version, ...segments] = path
    .split('/')
    .filter(segment => segment !== '')
    .map(decode);
  if (version !== 'v3') throw notFound('path', path);
  const context = subContext.exec(segments[0] ?? '');
  const name = context?.[1]?.toLowerCase() as 'cluster' | 'project' | undefined;
  if (!name || segments.length < 2) return target(segments, '/v3/schemas');
  const plural = segments[0]!.toLowerCase() === `${name}s`;
  const id = segments[1]!;
  // The root of a context is its resource, yet its schemas are the context's: clients begin there.
  const schemasPath = `/v3/${name}/${encodeId(id)}/schemas`;
  if (segments.length === 2 && plural) return { ...target(segments, schemasPath), context: undefined };
  return { ...target(segments.slice(2), schemasPath), context: { type: name, id } };
}

function target([type, id, link]: readonly string[], schemasPath: string): V3Target {
  return { type, id, link: link?.toLowerCase(), schemasPath };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound('path', segment);
  }
}

/** An id as it stands in links: `:` stays as it is, as clients have come to expect. */
export function encodeId(id: string): string {
  if (/^[\w.-]*$/.test(id)) return id;
  return encodeURIComponent(id).replaceAll('%3A', id.includes('://') ? '%3A' : ':');
}
