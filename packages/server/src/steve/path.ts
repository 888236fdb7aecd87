/** Paths of `/v1` apart: a type, then a namespace or a name, then a name, then a link. Which one is meant, the type decides. */
import { notFound } from '@drover/base';

export interface StevePath {
  /** The cluster whose `/v1` it is; undefined for the server's own. */
  readonly clusterId?: string;
  /** What stands before `/v1`, for links. */
  readonly prefix: string;
  /** Decoded, without empty ones. */
  readonly segments: readonly string[];
}

const ofCluster = /^\/k8s\/clusters\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)(\/v1(?:\/.*)?)$/;

/** Whether a path below `/k8s/clusters` is a cluster's `/v1`, and not its own API. */
export const isClusterPath = (path: string): boolean => ofCluster.test(path);

/** The local cluster's `/v1` is the server's own: links in it lead there. Throws NotFound for what is no path of `/v1`. */
export function parseStevePath(path: string, localId: string): StevePath {
  const [, clusterId, inCluster] = ofCluster.exec(path) ?? [];
  const own = inCluster ?? path;
  const segments = own
    .split('/')
    .filter(part => part !== '')
    .map(part => decode(part));
  if (segments.shift() !== 'v1') throw notFound('path', path);
  if (clusterId === undefined || clusterId === localId) return { prefix: '', segments };
  return { clusterId, prefix: `/k8s/clusters/${clusterId}`, segments };
}

/** A name that holds a slash or more escapes is none that a cluster would take. */
function decode(part: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw notFound('path', part);
  }
  if (/[/%\\\u0000-\u001f]/.test(text) || text === '.' || text === '..') throw notFound('path', part);
  return text;
}
