/**
 * The client of one OpenID Connect provider: what it says of itself, read when it is first needed and again every ten
 * minutes, and its keys, read again as soon as a token is signed with one that is not among them.
 */
import { hash } from 'node:crypto';
import { invalid, StatusError } from '@drover/base';
import { createRemoteJWKSet, type JWTVerifyGetKey, customFetch as joseFetch } from 'jose';
import * as openid from 'openid-client';
import type { OidcSettings } from './oidc-settings.ts';
import { providerFetch } from './provider-fetch.ts';

export interface OidcClient {
  readonly openid: openid.Configuration;
  readonly keys: JWTVerifyGetKey;
}

export interface OidcClientsOptions {
  readonly now?: () => number;
  /** How long what a provider says of itself is believed, in ms. */
  readonly maxAgeMs?: number;
  /** How soon keys may be read again for a token whose key is not there, in ms. */
  readonly keysCooldownMs?: number;
}

/** Clocks may differ by this much, in seconds. */
export const clockSkewSeconds = 60;
const maxClients = 32;

export class OidcClients {
  readonly #clients = new Map<string, { readonly client: Promise<OidcClient>; readonly until: number }>();
  readonly #options: OidcClientsOptions;

  constructor(options: OidcClientsOptions = {}) {
    this.#options = options;
  }

  /** The client for these settings; throws Unavailable where the provider can't be reached, Invalid where it is none. */
  get(settings: OidcSettings): Promise<OidcClient> {
    const now = (this.#options.now ?? Date.now)();
    const key = idOf(settings);
    const there = this.#clients.get(key);
    if (there && there.until > now) return there.client;
    const client = this.#open(settings);
    const oldest = this.#clients.keys().next().value;
    if (this.#clients.size >= maxClients && oldest !== undefined) this.#clients.delete(oldest);
    const entry = { client, until: now + (this.#options.maxAgeMs ?? 600_000) };
    this.#clients.set(key, entry);
    // A failure is not remembered: the next one asks again.
    client.catch(() => this.#clients.get(key) === entry && this.#clients.delete(key));
    return client;
  }

  async #open(settings: OidcSettings): Promise<OidcClient> {
    const { name, certificate: ca, privateKey: key } = settings;
    const fetch = providerFetch({ provider: name, ca, key });
    const configuration = await configure(settings, fetch);
    const { jwks_uri } = configuration.serverMetadata();
    if (!jwks_uri) throw invalid('issuer', `${settings.issuer} names no keys (jwks_uri)`);
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      cooldownDuration: this.#options.keysCooldownMs ?? 5_000,
      cacheMaxAge: 600_000,
      timeoutDuration: 15_000,
      [joseFetch]: (url: string, init: unknown) => fetch(url, init as RequestInit),
    });
    return { openid: configuration, keys };
  }
}

async function configure(
  settings: OidcSettings,
  fetch: ReturnType<typeof providerFetch>,
): Promise<openid.Configuration> {
  const { issuer, clientId, clientSecret, endpoints } = settings;
  const metadata = { [openid.clockTolerance]: clockSkewSeconds, client_secret: clientSecret.reveal() };
  const ask: openid.CustomFetch = (url, init) => fetch(url, init as RequestInit);
  if (endpoints.authorization && endpoints.token && endpoints.jwks) {
    const configuration = new openid.Configuration(
      {
        issuer,
        authorization_endpoint: endpoints.authorization,
        token_endpoint: endpoints.token,
        jwks_uri: endpoints.jwks,
        userinfo_endpoint: endpoints.userInfo,
        end_session_endpoint: endpoints.endSession,
      },
      clientId,
      metadata,
    );
    configuration[openid.customFetch] = ask;
    return configuration;
  }
  try {
    return await openid.discovery(new URL(issuer), clientId, metadata, undefined, {
      [openid.customFetch]: ask,
      timeout: 20,
    });
  } catch (error) {
    const cause = findStatusError(error);
    throw cause ?? invalid('issuer', `${issuer} is no OpenID Connect provider, or calls itself something else`);
  }
}

/** The error of ours that the libraries have wrapped in theirs. */
export function findStatusError(error: unknown): StatusError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof StatusError) return at;
  return undefined;
}

function idOf({ clientSecret, privateKey, ...rest }: OidcSettings): string {
  return hash('sha256', JSON.stringify([rest, clientSecret.reveal(), privateKey?.reveal()]), 'hex');
}
