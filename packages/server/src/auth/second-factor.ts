/**
 * The second factor of local users: codes by time (RFC 6238), and recovery codes for the day that the phone is gone. A code is good
 * once, on all servers together: what was used last is written before anybody is let in.
 */
import { randomInt } from 'node:crypto';
import type { SecretResource, User } from '@drover/api';
import { hashKey, ignoreNotFound, invalid, matchesKey, unauthorized } from '@drover/base';
import { TOTP, Secret as TotpSecret } from 'otpauth';
import type { Resources } from '../resources/index.ts';
import { type AuthDeps, nowOf } from './deps.ts';
import { Buckets } from './rate-limit.ts';

const namespace = 'cattle-local-user-second-factors';
const stepMs = 30_000;
const recoveryCodes = 10;

/** Somebody who has the password may try this often: five at once and one a minute, of which three in a million are right. */
const tries = new Buckets({ burst: 5, perSecond: 1 / 60, maxKeys: 20_000 });

export interface SecondFactor {
  readonly enabled: boolean;
  readonly recoveryCodesLeft: number;
}

export async function secondFactorOf(resources: Resources, userId: string): Promise<SecondFactor> {
  const data = await read(resources, userId);
  const enabled = data?.['confirmed'] === 'true';
  return { enabled, recoveryCodesLeft: enabled ? recoveryOf(data).length : 0 };
}

/** Makes a new key for the user's phone; it counts once a code of it was shown. Throws Invalid where one counts already. */
export async function beginSecondFactor(
  resources: Resources,
  user: User,
  issuer: string,
): Promise<{ readonly secret: string; readonly uri: string }> {
  const userId = user.metadata.name;
  const secret = new TotpSecret({ size: 20 });
  const stringData = { key: secret.base32, lastStep: '0', recovery: '[]' };
  await resources.put('secret', { metadata: { namespace, name: userId }, type: 'Opaque', stringData }, seen => {
    if (seen.stringData?.['confirmed'] === 'true')
      throw invalid('action', 'you have a second factor: turn it off first', 'InvalidState');
    return { ...seen, stringData };
  });
  const totp = new TOTP({ secret, issuer, label: user.username || user.displayName || userId });
  return { secret: secret.base32, uri: totp.toString() };
}

/** Turns it on, by a code that shows that the phone has the key; answers the recovery codes, which exist here alone. */
export async function confirmSecondFactor(deps: AuthDeps, userId: string, code: string): Promise<readonly string[]> {
  const codes = Array.from({ length: recoveryCodes }, makeRecoveryCode);
  const recovery = JSON.stringify(codes.map(one => hashKey(plain(one))));
  await change(deps.resources, userId, data => {
    if (data['confirmed'] === 'true') throw invalid('action', 'you have a second factor already', 'InvalidState');
    const step = stepOf(data, code, nowOf(deps));
    if (step === undefined) throw invalid('code', 'is not the one that your phone shows now', 'InvalidFormat');
    return { ...data, confirmed: 'true', lastStep: String(step), recovery };
  });
  return codes;
}

export async function removeSecondFactor(resources: Resources, userId: string): Promise<void> {
  await ignoreNotFound(resources.delete('secret', { namespace, name: userId }));
}

/**
 * For whoever has shown the right password: throws Unauthorized (SecondFactorRequired) where a code is needed too, Unauthorized for a
 * wrong one, and for any after a few of those. A code, or recovery code, that was right is never right again.
 */
export async function requireSecondFactor(deps: AuthDeps, userId: string, code: string | undefined): Promise<void> {
  const data = await read(deps.resources, userId);
  if (data?.['confirmed'] !== 'true') return;
  if (!code)
    throw unauthorized('a code of your second factor is needed too, as "otp"', { code: 'SecondFactorRequired' });
  if (tries.take(userId) > 0) throw unauthorized('authentication failed', { code: 'Unauthorized' });
  const used = await matchingHash(recoveryOf(data), plain(code));
  await change(deps.resources, userId, seen => {
    const left = recoveryOf(seen);
    if (used !== undefined && left.includes(used))
      return { ...seen, recovery: JSON.stringify(left.filter(one => one !== used)) };
    const step = stepOf(seen, code, nowOf(deps));
    if (step === undefined) throw unauthorized('authentication failed', { code: 'Unauthorized' });
    return { ...seen, lastStep: String(step) };
  });
  tries.give(userId);
}

type Data = Readonly<Record<string, string>>;

/** The step of time that the code is of; undefined for a wrong one, and for one that is not later than the last. */
function stepOf(data: Data, code: string, now: number): number | undefined {
  const token = code.replace(/\s/g, '');
  if (!/^\d{6}$/.test(token) || !data['key']) return undefined;
  const totp = new TOTP({ secret: TotpSecret.fromBase32(data['key']) });
  const delta = totp.validate({ token, window: 1, timestamp: now });
  if (delta === null) return undefined;
  const step = Math.floor(now / stepMs) + delta;
  return step > Number(data['lastStep'] ?? 0) ? step : undefined;
}

async function read(resources: Resources, userId: string): Promise<Data | undefined> {
  return (await resources.find('secret', userId, namespace))?.stringData;
}

async function change(resources: Resources, userId: string, next: (data: Data) => Data): Promise<void> {
  await resources.modify('secret', { namespace, name: userId }, (seen: SecretResource) => ({
    ...seen,
    stringData: next(seen.stringData ?? {}),
  }));
}

const recoveryOf = (data: Data): readonly string[] => JSON.parse(data['recovery'] ?? '[]') as string[];

async function matchingHash(hashes: readonly string[], code: string): Promise<string | undefined> {
  let found: string | undefined;
  // All of them, always: how long it takes tells nothing.
  for (const hash of hashes) if (await matchesKey(hash, code)) found = hash;
  return found;
}

/** Ninety-five bits, in groups that can be read out. */
function makeRecoveryCode(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
  const text = Array.from({ length: 19 }, () => letters[randomInt(letters.length)]).join('');
  return text.replace(/(.{5})(?=.)/g, '$1-');
}

const plain = (code: string): string => code.toLowerCase().replace(/[\s-]/g, '');
