/** Where one has been lately in this browser, the latest first; forgotten on signing out. */
import { keep, kept } from '../list/kept.ts';
import { placeOf } from './place.ts';

export interface Recent {
  readonly address: string;
  readonly title: string;
}

const most = { pages: 12, clusters: 6 } as const;
const names = { pages: 'recent', clusters: 'recentClusters' } as const;
const arePages = (value: unknown): boolean =>
  Array.isArray(value) && value.every(one => typeof one?.address === 'string' && typeof one?.title === 'string');
const areIds = (value: unknown): boolean => Array.isArray(value) && value.every(one => typeof one === 'string');

export const recents = (): readonly Recent[] => kept<readonly Recent[]>(names.pages, arePages) ?? [];
export const recentClusters = (): readonly string[] => kept<readonly string[]>(names.clusters, areIds) ?? [];

/** Remembers a page of a cluster, and the cluster; what is the same address takes its place anew. */
export function remember(address: string, title: string): void {
  const { clusterId } = placeOf(address);
  if (clusterId === undefined) return;
  keep(names.pages, [{ address, title }, ...recents().filter(one => one.address !== address)].slice(0, most.pages));
  const [last] = recentClusters();
  if (last === clusterId) return;
  keep(names.clusters, [clusterId, ...recentClusters().filter(id => id !== clusterId)].slice(0, most.clusters));
}

export function forgetRecents(): void {
  for (const name of Object.values(names)) keep(name, []);
}
