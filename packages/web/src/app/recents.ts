/** Where one has been lately in this browser, the latest first; forgotten on signing out. */
import { keep, kept } from '../list/kept.ts';

export interface Recent {
  readonly address: string;
  readonly title: string;
}

const most = 12;
const name = 'recent';
const isRight = (value: unknown): boolean =>
  Array.isArray(value) && value.every(one => typeof one?.address === 'string' && typeof one?.title === 'string');

export const recents = (): readonly Recent[] => kept<readonly Recent[]>(name, isRight) ?? [];

/** Remembers a page of a cluster; what is the same address takes its place anew. */
export function remember(address: string, title: string): void {
  if (!address.startsWith('/c/')) return;
  keep(name, [{ address, title }, ...recents().filter(one => one.address !== address)].slice(0, most));
}

export const forgetRecents = (): void => keep(name, []);
