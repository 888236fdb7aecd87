/**
 * Authenticate: from what a request shows to the caller it stands for. A credential verified once is known by its SHA-256
 * for as long as the very same token, user and groups are in the caches; every other doubt is looked into anew.
 */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Token, User, UserAttribute } from '@drover/api';
import { matchesKey, tooManyRequests, unauthorized } from '@drover/base';
import type { Authenticate, Caller } from '../http/exchange.ts';
import { makeCaller } from './caller.ts';
import { type Credential, parseBearer, readCredential } from './credentials.ts';
import { type AuthDeps, minutesSetting, nowOf } from './deps.ts';
import { hashing } from './gate.ts';
import { isProviderOn } from './provider-on.ts';
import { Bucket } from './rate-limit.ts';
import { endOf, isIdle, isOfShell } from './token-life.ts';
import type { TokenUse } from './token-use.ts';

export interface AuthenticateOptions {
  readonly use: TokenUse;
  /** How many verified credentials are known at once. */
  readonly maxVerified?: number;
  /** How many credentials that no cache knows are looked up in the store, per second. */
  readonly missesPerSecond?: number;
}

interface Verified {
  readonly token: Token;
  readonly user: User;
  readonly attribute: UserAttribute | undefined;
  readonly endsAt: number;
  caller: Caller;
}

export class Authenticator {
  readonly #deps: AuthDeps;
  readonly #use: TokenUse;
  readonly #verified = new Map<string, Verified>();
  readonly #maxVerified: number;
  readonly #misses: Bucket;
  readonly #lookups = new Map<string, Promise<void>>();
  /** Uids of tokens that were seen to be over: a clock set back does not bring them to life. */
  readonly #over = new Set<string>();

  constructor(deps: AuthDeps, options: AuthenticateOptions) {
    this.#deps = deps;
    this.#use = options.use;
    this.#maxVerified = options.maxVerified ?? 10_000;
    const perSecond = options.missesPerSecond ?? 100;
    this.#misses = new Bucket({ burst: perSecond * 2, perSecond });
  }

  /** See the type; throws TooManyRequests where too many unknown tokens are being tried. */
  readonly authenticate: Authenticate = async (request, { path, cookies }) => {
    const credential = readCredential(request, cookies);
    if (credential === undefined) return undefined;
    if (credential === 'bad') throw unauthorized();
    const now = nowOf(this.#deps);
    const digest = hash('sha256', credential.text, 'base64');
    let entry = this.#known(digest);
    if (!entry) {
      entry = await this.#verify(credential, request);
      if (!entry) throw unauthorized();
      this.#keep(digest, entry);
    }
    const { token } = entry;
    // Off means off at once, on every replica: its tokens need not be gone yet.
    if (!isProviderOn(this.#deps.caches, token.authProvider)) throw unauthorized();
    if (this.#hasEnded(entry, now) || !isInScope(token.clusterName, path)) throw unauthorized();
    // It lies in a pod, where owners of the cluster could take it: it is for the cluster's API, not for what is kept of the cluster here.
    if (isOfShell(token) && !path.startsWith('/k8s/clusters/')) throw unauthorized();
    this.#use.note(token.metadata.name, now);
    const host = request.headers.host ?? '';
    const { caller } = entry;
    if (caller.extra['requesthost']![0] === host && caller.via === credential.via) return caller;
    return (entry.caller = makeCaller(token, entry, { via: credential.via, host }));
  };

  /** The token that a request shows, good key provided, even one that has ended: what a logout is for. */
  async shownToken(request: IncomingMessage): Promise<Token | undefined> {
    const credential = readCredential(request, true);
    if (!credential || credential === 'bad') return undefined;
    return (await this.#verify(credential, request))?.token;
  }

  /** The entry, as long as nothing that it was made of has been replaced since. */
  #known(digest: string): Verified | undefined {
    const entry = this.#verified.get(digest);
    if (!entry) return undefined;
    const { token, user, attribute } = entry;
    const { caches } = this.#deps;
    const unchanged =
      caches.token.get(token.metadata.name) === token &&
      caches.user.get(user.metadata.name) === user &&
      caches.userAttribute.get(user.metadata.name) === attribute;
    if (unchanged) return entry;
    this.#verified.delete(digest);
    return undefined;
  }

  #keep(digest: string, entry: Verified): void {
    if (this.#verified.size >= this.#maxVerified) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(digest, entry);
  }

  async #verify(credential: Credential, request: IncomingMessage): Promise<Verified | undefined> {
    const bearer = parseBearer(credential.text);
    if (!bearer) return undefined;
    const { caches } = this.#deps;
    if (!caches.token.get(bearer.name)) await this.#lookUp('token', bearer.name);
    const token = caches.token.get(bearer.name);
    const matches = matchesKey(token?.token, bearer.key, work => hashing.run(work));
    if (!(typeof matches === 'boolean' ? matches : await matches)) return undefined;
    if (!token?.userId || token.enabled === false || token.metadata.deletionTimestamp) return undefined;
    if (!caches.user.get(token.userId)) await this.#lookUp('user', token.userId);
    const user = caches.user.get(token.userId);
    if (!user || user.enabled === false || user.metadata.deletionTimestamp) return undefined;
    const attribute = caches.userAttribute.get(user.metadata.name);
    const host = request.headers.host ?? '';
    const caller = makeCaller(token, { user, attribute }, { via: credential.via, host });
    return { token, user, attribute, endsAt: endOf(token), caller };
  }

  /** Another server may have written it just now: one read of the store, shared by all that ask for the same. */
  async #lookUp(id: 'token' | 'user', name: string): Promise<void> {
    const key = `${id} ${name}`;
    let lookup = this.#lookups.get(key);
    if (!lookup) {
      const waitSeconds = this.#misses.take();
      if (waitSeconds > 0) throw tooManyRequests('too many unknown tokens are being tried', waitSeconds);
      lookup = this.#read(id, name).finally(() => this.#lookups.delete(key));
      this.#lookups.set(key, lookup);
    }
    await lookup;
  }

  async #read(id: 'token' | 'user', name: string): Promise<void> {
    const { resources, caches } = this.#deps;
    if (id === 'token') {
      const token = await resources.find('token', name);
      if (token) caches.token.observe(token);
    } else {
      const user = await resources.find('user', name);
      if (user) caches.user.observe(user);
    }
  }

  #hasEnded({ token, endsAt }: Verified, now: number): boolean {
    const uid = token.metadata.uid ?? token.metadata.name;
    if (this.#over.size > 0 && this.#over.has(uid)) return true;
    if (endsAt > now && !this.#isIdle(token, now)) return false;
    if (this.#over.size >= this.#maxVerified) this.#over.delete(this.#over.values().next().value!);
    this.#over.add(uid);
    return true;
  }

  #isIdle(token: Token, now: number): boolean {
    const idleMs = minutesSetting(this.#deps.settings, 'auth-user-session-idle-ttl-minutes', 960);
    return isIdle(token, this.#use.lastSeen(token), idleMs, now);
  }
}

/** A project's id begins with its cluster's. */
const scopedPath =
  /^\/(?:(?:k8s\/(?:clusters|proxy)|v3\/clusters?)\/([^/]+)|v3\/projects?\/([-a-z0-9.]+)(?::|%3[Aa])[-a-z0-9.]+)(?:\/|$)/;
/** Segments that a reader further on might fold: `.`, `..`, and what decodes to them or to a separator. */
const foldable = /(?:^|[/\\])\.{1,2}(?:[/\\;]|$)|%2e|%2f|%5c|\\|%00|%25/i;
const upwards = /(?:^|\/)(?:\.|%2e){2}(?:\/|$)/i;

/** Whether a token of this scope may be used on the path as it was sent: one for a cluster on that cluster's paths alone. */
export function isInScope(clusterId: string | undefined, path: string): boolean {
  if (!clusterId) return true;
  const match = scopedPath.exec(path);
  if (!match || (match[1] ?? match[2]) !== clusterId) return false;
  // With the slash before it, so that a second one shows.
  const rest = path.slice(match[0].length - 1);
  // Below /k8s the path goes to the one cluster as it is, whatever it holds; only our own API could read it another way.
  return path.startsWith('/v3/') ? !foldable.test(rest) && !rest.includes('//') : !upwards.test(rest);
}
