/**
 * Codes by time (RFC 6238) from an app on somebody's phone. A code is good once, on all servers together: what was used last is
 * written before anybody is let in.
 */
import type { SecretResource, User } from '@drover/api';
import { ignoreNotFound, invalid } from '@drover/base';
import { TOTP, Secret as TotpSecret } from 'otpauth';
import type { Resources } from '../resources/index.ts';
import { type AuthDeps, nowOf } from './deps.ts';
import { makeRecoveryCodes, matchingHash, recoveryHashes } from './recovery-codes.ts';

const namespace = 'cattle-local-user-second-factors';
const stepMs = 30_000;

type Data = Readonly<Record<string, string>>;

/** Whether the user has them, and the recovery codes that came with them. */
export async function codesOf(resources: Resources, userId: string) {
  const data = await read(resources, userId);
  const enabled = data?.['confirmed'] === 'true';
  return { enabled, recovery: enabled ? recoveryHashes(data['recovery']) : [] };
}

/** Makes a new key for the user's phone; it counts once a code of it was shown. Throws Invalid where one counts already. */
export async function beginCodes(
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

/** Turns them on, by a code that shows that the phone has the key; answers the recovery codes, which exist here alone. */
export async function confirmCodes(deps: AuthDeps, userId: string, code: string): Promise<readonly string[]> {
  const { codes, hashes } = makeRecoveryCodes();
  await change(deps.resources, userId, data => {
    if (data['confirmed'] === 'true') throw invalid('action', 'you have a second factor already', 'InvalidState');
    const step = stepOf(data, code, nowOf(deps));
    if (step === undefined) throw invalid('code', 'is not the one that your phone shows now', 'InvalidFormat');
    return { ...data, confirmed: 'true', lastStep: String(step), recovery: hashes };
  });
  return codes;
}

/** Whether the code is right now; one that was right, or a recovery code, is never right again. */
export async function useCode(deps: AuthDeps, userId: string, code: string): Promise<boolean> {
  const data = await read(deps.resources, userId);
  if (data?.['confirmed'] !== 'true') return false;
  const used = await matchingHash(recoveryHashes(data['recovery']), code);
  let isRight = false;
  await change(deps.resources, userId, seen => {
    const left = recoveryHashes(seen['recovery']);
    isRight = true;
    if (used !== undefined && left.includes(used))
      return { ...seen, recovery: JSON.stringify(left.filter(one => one !== used)) };
    const step = stepOf(seen, code, nowOf(deps));
    if (step !== undefined) return { ...seen, lastStep: String(step) };
    isRight = false;
    return undefined;
  });
  return isRight;
}

export async function removeCodes(resources: Resources, userId: string): Promise<void> {
  await ignoreNotFound(resources.delete('secret', { namespace, name: userId }));
}

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

async function change(resources: Resources, userId: string, next: (data: Data) => Data | undefined): Promise<void> {
  await resources.modify('secret', { namespace, name: userId }, (seen: SecretResource) => {
    const stringData = next(seen.stringData ?? {});
    return stringData && { ...seen, stringData };
  });
}
