/**
 * The second factor of local users, which is asked for beside the password: a code by time from a phone, a security key, or, for the
 * day that both are gone, a recovery code.
 */
import { unauthorized } from '@drover/base';
import type { Resources } from '../resources/index.ts';
import { codesOf, removeCodes, useCode } from './codes-by-time.ts';
import type { AuthDeps } from './deps.ts';
import { Buckets } from './rate-limit.ts';
import { keysOf, removeKeys, type ShownKey, useKey, useKeysRecovery } from './security-keys.ts';

/** Somebody who has the password may try this often: five at once and one a minute, of which three in a million are right. */
const tries = new Buckets({ burst: 5, perSecond: 1 / 60, maxKeys: 20_000 });

export interface SecondFactor {
  /** Whether a password alone does not do. */
  readonly enabled: boolean;
  readonly codes: boolean;
  readonly securityKeys: readonly ShownKey[];
  readonly recoveryCodesLeft: number;
}

export async function secondFactorOf(resources: Resources, userId: string): Promise<SecondFactor> {
  const [codes, keys] = await Promise.all([codesOf(resources, userId), keysOf(resources, userId)]);
  return {
    enabled: codes.enabled || keys.keys.length > 0,
    codes: codes.enabled,
    securityKeys: keys.keys,
    recoveryCodesLeft: codes.recovery.length + keys.recovery.length,
  };
}

/** Takes all of it off the user. */
export async function removeSecondFactor(resources: Resources, userId: string): Promise<void> {
  await removeCodes(resources, userId);
  await removeKeys(resources, userId);
}

export interface FactorGiven {
  /** A code, from the phone or for recovery. */
  readonly otp?: string;
  /** What a browser made of a challenge with a security key. */
  readonly securityKey?: unknown;
  /** This server's address as the browser has it. */
  readonly origin: string;
}

/**
 * For whoever has shown the right password: throws Unauthorized (SecondFactorRequired) where more is needed, Unauthorized for what is
 * wrong, and for any after a few of those. What was right is never right again.
 */
export async function requireSecondFactor(deps: AuthDeps, userId: string, given: FactorGiven): Promise<void> {
  const { enabled } = await secondFactorOf(deps.resources, userId);
  if (!enabled) return;
  const { otp, securityKey, origin } = given;
  if (!otp && securityKey === undefined)
    throw unauthorized('your second factor is needed too: a code as "otp", or a security key', {
      code: 'SecondFactorRequired',
    });
  const isRight =
    securityKey === undefined
      ? await tryCode(deps, userId, otp!)
      : await useKey(deps, userId, { assertion: securityKey, origin });
  if (!isRight) throw unauthorized('authentication failed', { code: 'Unauthorized' });
}

/** Codes can be guessed, what a key signs can't: only those have to wait. */
async function tryCode(deps: AuthDeps, userId: string, code: string): Promise<boolean> {
  if (tries.take(userId) > 0) throw unauthorized('authentication failed', { code: 'Unauthorized' });
  const isRight = (await useCode(deps, userId, code)) || (await useKeysRecovery(deps.resources, userId, code));
  if (isRight) tries.give(userId);
  return isRight;
}
