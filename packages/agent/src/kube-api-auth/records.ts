/**
 * What the server has copied into this cluster about tokens and whose they are, kept current by watches: the kube-apiserver that
 * asks is never asked back while it waits, but for the hash of a token that is used for the first time.
 */
import { ignoreNotFound, type Log, messageOf, type Resource } from '@drover/base';
import { clusterAuthTokens, clusterUserAttributes, type KubeClient, secrets, WatchCache } from '@drover/kube';

export const endpointNamespace = 'cattle-system';

export interface AuthToken extends Resource {
  readonly userName?: string;
  readonly enabled?: boolean;
  /** RFC 3339; empty or absent where it never ends. */
  readonly expiresAt?: string;
}

export interface UserAttribute extends Resource {
  readonly groups?: readonly string[];
  readonly enabled?: boolean;
}

/** What verification looks things up in. */
export interface Records {
  readonly isSynced: boolean;
  token(name: string): AuthToken | undefined;
  user(name: string): UserAttribute | undefined;
  /** The hash of the token's key, as the server wrote it; `anew` where the one that is known does not fit. */
  hashOf(token: AuthToken, options?: { readonly anew?: boolean }): Promise<string | undefined>;
  /** Says that it was used just now. */
  used(token: AuthToken): void;
}

/** Told to the server no more often than this, for each token. */
const usedEveryMs = 60_000;
const maxBytes = 32 << 20;
/** A key may be exchanged under the name of its token. */
const readAnewMs = 1000;

export class ClusterRecords implements Records {
  readonly #client: KubeClient;
  readonly #tokens: WatchCache<AuthToken>;
  readonly #users: WatchCache<UserAttribute>;
  /** By the token's object: one that is replaced is looked up anew. */
  readonly #hashes = new WeakMap<AuthToken, { readonly text: string; readonly readMs: number }>();
  readonly #usedAt = new Map<string, number>();
  readonly #log: Log;

  constructor(client: KubeClient, log: Log) {
    this.#client = client;
    this.#log = log;
    const options = {
      namespace: endpointNamespace,
      maxBytes,
      onError: (error: Error, failures: number) => {
        if (failures === 1) log.warn({ reason: messageOf(error) }, 'what is known of tokens may be behind');
      },
    };
    this.#tokens = new WatchCache(client, clusterAuthTokens, options);
    this.#users = new WatchCache(client, clusterUserAttributes, options);
    this.#tokens.subscribe(({ type, key }) => {
      if (type === 'deleted') this.#usedAt.delete(key);
    });
  }

  /** Follows the cluster until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#tokens.run(signal), this.#users.run(signal)]);
  }

  get isSynced(): boolean {
    return this.#tokens.isSynced && this.#users.isSynced;
  }

  token(name: string): AuthToken | undefined {
    return this.#tokens.get(`${endpointNamespace}/${name}`);
  }

  user(name: string): UserAttribute | undefined {
    return this.#users.get(`${endpointNamespace}/${name}`);
  }

  async hashOf(token: AuthToken, { anew = false } = {}): Promise<string | undefined> {
    const known = this.#hashes.get(token);
    // Whoever guesses has the cluster asked no more often than this.
    if (known !== undefined && (!anew || performance.now() - known.readMs < readAnewMs)) return known.text;
    const { name } = token.metadata;
    const secret = await ignoreNotFound(
      this.#client.get<Resource & { readonly data?: Readonly<Record<string, string>> }>(secrets, name, {
        namespace: endpointNamespace,
      }),
    );
    const hash = secret?.data?.['hash'];
    if (hash === undefined) return undefined;
    const text = Buffer.from(hash, 'base64').toString('utf8');
    this.#hashes.set(token, { text, readMs: performance.now() });
    return text;
  }

  used(token: AuthToken): void {
    const key = `${endpointNamespace}/${token.metadata.name}`;
    const now = Date.now();
    if (now - (this.#usedAt.get(key) ?? 0) < usedEveryMs) return;
    this.#usedAt.set(key, now);
    const patch = { lastUsedAt: new Date(now).toISOString() };
    this.#client
      .patch(clusterAuthTokens, token.metadata.name, patch, { type: 'merge', namespace: endpointNamespace })
      .catch(error => this.#log.debug({ reason: messageOf(error) }, 'the use of a token could not be told'));
  }
}
