/**
 * Security keys (WebAuthn): what signs a challenge of ours with a key that never leaves it, for the address of this server alone.
 * A challenge is good once and for a few minutes, on all servers together: it goes from the store before its answer is looked at.
 */
import { hash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecretResource, User } from '@drover/api';
import { ignoreExists, ignoreNotFound, invalid, notFound, unauthorized } from '@drover/base';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { Resources } from '../resources/index.ts';
import { type AuthDeps, nowOf } from './deps.ts';
import { makeRecoveryCodes, matchingHash, recoveryHashes } from './recovery-codes.ts';

const namespace = 'cattle-local-user-security-keys';
const challengeMs = 5 * 60_000;
const mostChallenges = 5;
const mostKeys = 20;

/** As it is shown to its owner. */
export interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly lastUsed?: string;
}

interface StoredKey extends ShownKey {
  /** What the browser calls it, base64url. */
  readonly credential: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly transports?: readonly string[];
  /** The host that it signs for. */
  readonly host: string;
}

interface Challenge {
  readonly challenge: string;
  readonly use: 'add' | 'prove';
  readonly endsAt: number;
}

interface Kept {
  readonly keys: readonly StoredKey[];
  readonly challenges: readonly Challenge[];
  readonly recovery: readonly string[];
}

const empty: Kept = { keys: [], challenges: [], recovery: [] };

export async function keysOf(resources: Resources, userId: string) {
  const { keys, recovery } = await read(resources, userId);
  const shown = keys.map(({ id, name, created, lastUsed }): ShownKey => ({ id, name, created, lastUsed }));
  return { keys: shown, recovery: keys.length > 0 ? recovery : [] };
}

/** What the browser is to make a new key with; `origin` is this server's address as the browser has it. */
export async function beginKey(deps: AuthDeps, user: User, origin: string) {
  const { keys } = await read(deps.resources, user.metadata.name);
  if (keys.length >= mostKeys)
    throw invalid('action', `you have ${mostKeys} keys: remove one first`, 'MaxLimitExceeded');
  const host = hostOf(origin);
  const name = user.username || user.displayName || user.metadata.name;
  const options = await generateRegistrationOptions({
    rpName: 'Drover',
    rpID: host,
    userID: new Uint8Array(hash('sha256', user.metadata.name, 'buffer')),
    userName: name,
    userDisplayName: user.displayName || name,
    attestationType: 'none',
    challenge: new Uint8Array(randomBytes(32)),
    timeout: challengeMs,
    excludeCredentials: keys.map(key => ({ id: key.credential, transports: [...(key.transports ?? [])] })),
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' },
  });
  await addChallenge(deps, user.metadata.name, { challenge: options.challenge, use: 'add' });
  return options;
}

export interface AddedKey extends ShownKey {
  /** With the first one: they exist here alone. */
  readonly recoveryCodes?: readonly string[];
}

/** Keeps the key that the browser has made. Throws Invalid for an answer that is none to a challenge of this server. */
export async function addKey(
  deps: AuthDeps,
  userId: string,
  given: { readonly name: string; readonly credential: unknown; readonly origin: string },
): Promise<AddedKey> {
  const challenge = await takeChallenge(deps, userId, { of: given.credential, use: 'add' });
  const host = hostOf(given.origin);
  const wrong = (why: string) =>
    invalid('credential', `is no answer of a security key to this server: ${why}`, 'InvalidFormat');
  if (challenge === undefined) throw wrong('it was not asked for, or too long ago');
  const verified = await verifyRegistrationResponse({
    response: given.credential as RegistrationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: given.origin,
    expectedRPID: host,
    requireUserVerification: false,
  }).catch(error => {
    throw wrong(reasonOf(error));
  });
  if (!verified.verified) throw wrong('its signature is wrong');
  const { credential } = verified.registrationInfo;
  const key: StoredKey = {
    id: hash('sha256', credential.id, 'hex').slice(0, 12),
    name: given.name,
    created: isoOf(nowOf(deps)),
    credential: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: credential.transports,
    host,
  };
  const recovery = makeRecoveryCodes();
  let isFirst = false;
  await change(deps.resources, userId, kept => {
    if (kept.keys.some(each => each.credential === key.credential))
      throw invalid('credential', 'is of a key that you have already', 'NotUnique');
    if (kept.keys.length >= mostKeys) throw invalid('action', `you have ${mostKeys} keys already`, 'MaxLimitExceeded');
    isFirst = kept.keys.length === 0;
    return { ...kept, keys: [...kept.keys, key], ...(isFirst ? { recovery: recoveryHashes(recovery.hashes) } : {}) };
  });
  const { id, name, created } = key;
  return { id, name, created, ...(isFirst ? { recoveryCodes: recovery.codes } : {}) };
}

export async function renameKey(resources: Resources, userId: string, to: { id: string; name: string }): Promise<void> {
  await requireKey(resources, userId, to.id);
  await change(resources, userId, kept => ({
    ...kept,
    keys: kept.keys.map(key => (key.id === to.id ? { ...key, name: to.name } : key)),
  }));
}

export async function removeKey(resources: Resources, userId: string, wanted: string): Promise<void> {
  await requireKey(resources, userId, wanted);
  await change(resources, userId, kept => ({ ...kept, keys: kept.keys.filter(({ id }) => id !== wanted) }));
}

/** Throws NotFound where the user has no such key. */
export async function requireKey(resources: Resources, userId: string, wanted: string): Promise<void> {
  if (!(await read(resources, userId)).keys.some(({ id }) => id === wanted)) throw notFound('securityKey', wanted);
}

/** Takes all of them away. */
export async function removeKeys(resources: Resources, userId: string): Promise<void> {
  await ignoreNotFound(resources.delete('secret', { namespace, name: userId }));
}

/** What a browser is to let one of the user's keys sign; undefined where he has none for this address. */
export async function challengeKey(deps: AuthDeps, userId: string, origin: string) {
  const host = new URL(origin).hostname;
  const keys = (await read(deps.resources, userId)).keys.filter(key => key.host === host);
  if (keys.length === 0) return undefined;
  const options = await generateAuthenticationOptions({
    rpID: host,
    challenge: new Uint8Array(randomBytes(32)),
    timeout: challengeMs,
    userVerification: 'discouraged',
    allowCredentials: keys.map(key => ({ id: key.credential, transports: [...(key.transports ?? [])] })),
  });
  await addChallenge(deps, userId, { challenge: options.challenge, use: 'prove' });
  return options;
}

/** Whether the answer is one of the user's keys', to a challenge that is open, from this server's own page. */
export async function useKey(
  deps: AuthDeps,
  userId: string,
  { assertion, origin }: { readonly assertion: unknown; readonly origin: string },
): Promise<boolean> {
  const challenge = await takeChallenge(deps, userId, { of: assertion, use: 'prove' });
  const host = new URL(origin).hostname;
  const { id } = assertion as { id?: unknown };
  const key = (await read(deps.resources, userId)).keys.find(each => each.credential === id && each.host === host);
  if (challenge === undefined || !key) return false;
  const verified = await verifyAuthenticationResponse({
    response: assertion as AuthenticationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: key.host,
    requireUserVerification: false,
    credential: {
      id: key.credential,
      publicKey: new Uint8Array(Buffer.from(key.publicKey, 'base64url')),
      counter: key.counter,
    },
  }).catch(() => undefined);
  if (!verified?.verified) return false;
  const { newCounter } = verified.authenticationInfo;
  await change(deps.resources, userId, kept => {
    const now = kept.keys.find(each => each.credential === id);
    // Of two at once with one count, one key is a copy.
    if (!now || (newCounter > 0 && newCounter <= now.counter))
      throw unauthorized('authentication failed', { code: 'Unauthorized' });
    const used = { ...now, counter: newCounter, lastUsed: isoOf(nowOf(deps)) };
    return { ...kept, keys: kept.keys.map(each => (each === now ? used : each)) };
  });
  return true;
}

/** Whether it is one of the recovery codes that came with the keys; it is none any more then. */
export async function useKeysRecovery(resources: Resources, userId: string, code: string): Promise<boolean> {
  const { keys, recovery } = await read(resources, userId);
  const used = keys.length > 0 ? await matchingHash(recovery, code) : undefined;
  if (used === undefined) return false;
  let isRight = false;
  await change(resources, userId, kept => {
    isRight = kept.recovery.includes(used);
    return { ...kept, recovery: kept.recovery.filter(one => one !== used) };
  });
  return isRight;
}

/** Keys sign for a name: browsers know none for an address in numbers. */
function hostOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (isIP(hostname.replace(/^\[|\]$/g, '')))
    throw invalid(
      'action',
      'needs this server under a name: browsers make no keys for an address in numbers',
      'InvalidState',
    );
  return hostname;
}

async function addChallenge(deps: AuthDeps, userId: string, added: Omit<Challenge, 'endsAt'>): Promise<void> {
  const now = nowOf(deps);
  const challenge = { ...added, endsAt: now + challengeMs };
  const draft = { metadata: { namespace, name: userId }, type: 'Opaque', stringData: { kept: JSON.stringify(empty) } };
  await ignoreExists(deps.resources.create('secret', draft));
  await change(deps.resources, userId, kept => {
    const open = kept.challenges.filter(({ endsAt }) => endsAt > now);
    return { ...kept, challenges: [...open, challenge].slice(-mostChallenges) };
  });
}

/** The open challenge that is answered, which is none any more; undefined where there is none such. */
async function takeChallenge(
  deps: AuthDeps,
  userId: string,
  { of: answer, use }: { readonly of: unknown; readonly use: Challenge['use'] },
): Promise<string | undefined> {
  const wanted = challengeIn(answer);
  if (wanted === undefined) return undefined;
  let isOpen = false;
  const taken = change(deps.resources, userId, kept => {
    const open = kept.challenges.filter(({ endsAt }) => endsAt > nowOf(deps));
    isOpen = open.some(each => each.challenge === wanted && each.use === use);
    return { ...kept, challenges: open.filter(each => each.challenge !== wanted) };
  });
  await ignoreNotFound(taken);
  return isOpen ? wanted : undefined;
}

/** What the browser says that it answered; the signature is over it, and is looked at afterwards. */
function challengeIn(answer: unknown): string | undefined {
  try {
    const { response } = answer as { response: { clientDataJSON: string } };
    const { challenge } = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8'));
    return typeof challenge === 'string' && challenge.length < 200 ? challenge : undefined;
  } catch {
    return undefined;
  }
}

const isoOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** The library's words, as far as they repeat nothing that was sent. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  if (/origin/i.test(text)) return 'it was made on another page than this server’s';
  if (/RP ID/i.test(text)) return 'it was made for another server';
  if (/challenge/i.test(text)) return 'it answers another challenge';
  return 'it can’t be verified';
}

async function read(resources: Resources, userId: string): Promise<Kept> {
  return keptIn((await resources.find('secret', userId, namespace))?.stringData);
}

function keptIn(data: Readonly<Record<string, string>> | undefined): Kept {
  return data?.['kept'] === undefined ? empty : { ...empty, ...(JSON.parse(data['kept']) as Kept) };
}

async function change(resources: Resources, userId: string, next: (kept: Kept) => Kept): Promise<void> {
  await resources.modify('secret', { namespace, name: userId }, (seen: SecretResource) => ({
    ...seen,
    stringData: { kept: JSON.stringify(next(keptIn(seen.stringData))) },
  }));
}
