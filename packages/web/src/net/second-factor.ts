/** The second factor from a browser: what it asks of a security key, and asking again with it where the server wants more than a password. */
import { ask, RequestError, secondFactor } from './request.ts';

const path = '/v1-second-factor';

export interface SecurityKey {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly lastUsed?: string;
}

export interface SecondFactor {
  readonly enabled: boolean;
  readonly codes: boolean;
  readonly securityKeys: readonly SecurityKey[];
  readonly recoveryCodesLeft: number;
}

/** What is needed beside the password. */
export interface Needed {
  readonly codes: boolean;
  readonly securityKey?: PublicKeyCredentialRequestOptionsJSON;
}

/** Whether this browser can speak with security keys here: over TLS, under a name. */
export const hasKeys = (): boolean =>
  typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** Throws what the browser does where nobody touched a key in time. */
export async function proveKey(options: PublicKeyCredentialRequestOptionsJSON, signal?: AbortSignal): Promise<object> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const made = (await navigator.credentials.get({ publicKey, signal })) as PublicKeyCredential;
  return made.toJSON() as object;
}

export async function makeKey(options: PublicKeyCredentialCreationOptionsJSON): Promise<object> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  return made.toJSON() as object;
}

export const readSecondFactor = (signal?: AbortSignal): Promise<SecondFactor> => ask<SecondFactor>(path, { signal });

export const act = <T>(action: string, body: object): Promise<T> =>
  ask<T>(`${path}?action=${action}`, { method: 'POST', body });

/** As act, and once more with a key where the server asks for the second factor and a key can give it; codes come with the body. */
export async function actWithFactor<T>(action: string, body: object): Promise<T> {
  try {
    return await act<T>(action, body);
  } catch (refused) {
    if (!(refused instanceof RequestError) || refused.code !== secondFactor) throw refused;
    const { securityKey } = await act<Needed>('challenge', {});
    if (!securityKey || !hasKeys()) throw refused;
    return act<T>(action, { ...body, securityKey: await proveKey(securityKey) });
  }
}

/** For who is not signed in yet, and has given a right password. */
export const neededFor = (given: { readonly username: string; readonly password: string }): Promise<Needed> =>
  ask<Needed>('/v1-public/second-factor', { method: 'POST', body: given });
