/**
 * Who a token stands for, by what the server has copied into this cluster. Works with the server gone; what the server has taken
 * back since it was last here is still good.
 */
import { matchesKey } from '@drover/base';
import type { Records } from './records.ts';

export interface Verified {
  readonly username: string;
  readonly groups: readonly string[];
}

/** A token is far shorter; longer ones are not even looked at. */
const longestToken = 4096;

/** Undefined for whoever it is not, whatever the reason. `token` is `name:key`, its name with `ext/` before it or without. */
export async function verify(records: Records, token: string, now = Date.now()): Promise<Verified | undefined> {
  if (token.length > longestToken) return undefined;
  const colon = token.indexOf(':');
  if (colon < 0) return undefined;
  const record = records.token(token.slice(0, colon).replace(/^ext\//, ''));
  if (!record || record.enabled === false || isOver(record.expiresAt, now)) return undefined;
  const { userName = '' } = record;
  // The names of the system's own are given by other means than tokens of people.
  if (userName === '' || userName.startsWith('system:')) return undefined;
  const user = records.user(userName);
  if (!user || user.enabled === false) return undefined;
  const key = token.slice(colon + 1);
  const fits = async (anew: boolean) => matchesKey(await records.hashOf(record, { anew }), key);
  if (!(await fits(false)) && !(await fits(true))) return undefined;
  records.used(record);
  return { username: userName, groups: (user.groups ?? []).filter(group => !group.startsWith('system:')) };
}

/** An end that can't be read is over: it must not make a token eternal. */
function isOver(expiresAt: string | undefined, now: number): boolean {
  if (!expiresAt) return false;
  const end = Date.parse(expiresAt);
  return Number.isNaN(end) || end <= now;
}
