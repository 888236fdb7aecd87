/** The `continue` of a list: where the next page begins, at which revision, in which epoch. Opaque to callers. */
import { badRequest, expired } from '@drover/base';
import type { Revision } from './store.ts';

export interface ContinueToken {
  readonly epoch: number;
  readonly revision: Revision;
  /** The last key that was given. */
  readonly after: string;
  /** How many follow, where it was counted. */
  readonly remaining?: number;
}

export function formatContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify([token.epoch, token.revision, token.after, token.remaining])).toString('base64url');
}

/** Throws BadRequest for what was never a token of this list, Expired for one of another epoch. */
export function parseContinue(text: string, prefix: string, epoch: number): ContinueToken {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw badRequest('continue: must be the token that the page before gave', error);
  }
  const [from, revision, after, remaining] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (
    !Number.isSafeInteger(from) ||
    !Number.isSafeInteger(revision) ||
    (revision as number) < 0 ||
    typeof after !== 'string' ||
    !after.startsWith(prefix)
  )
    throw badRequest('continue: must be the token that the page before gave for this same list');
  if (from !== epoch) throw expired('the list began in another epoch of the store; list again from the start');
  const isCount = Number.isSafeInteger(remaining) && (remaining as number) > 0;
  return { epoch, revision: revision as number, after, ...(isCount ? { remaining: remaining as number } : {}) };
}
