/** Where the page is: the cluster and the kind that its address names, and addresses of other places. */
import { useLocation } from 'wouter';

export interface Place {
  readonly clusterId?: string;
  /** The plural of a kind, or the name of a page of the cluster. */
  readonly page?: string;
}

export function placeOf(path: string): Place {
  const [first, clusterId, page] = path.split('/').filter(Boolean).map(decodeURIComponent);
  return first === 'c' && clusterId ? { clusterId, ...(page ? { page } : {}) } : {};
}

export function usePlace(): Place {
  const [path] = useLocation();
  return placeOf(path);
}

/** The address of a cluster, a list in it, or an object; `id` is `namespace/name`, or the name of what is in none. */
export function addressOf(clusterId: string, page?: string, id?: string): string {
  const parts = [clusterId, ...(page ? [page] : []), ...(id ? id.split('/') : [])];
  return `/c/${parts.map(encodeURIComponent).join('/')}`;
}

/** The address of a kind in all clusters. */
export const acrossAddress = (plural: string): string => `/across/${encodeURIComponent(plural)}`;

/** Where a new object of a kind is made. */
export const createAddress = (clusterId: string, plural: string): string =>
  `/c/${encodeURIComponent(clusterId)}/create/${encodeURIComponent(plural)}`;
