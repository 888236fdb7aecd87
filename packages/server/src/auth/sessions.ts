/**
 * Sessions: the signals that cut what is still running for a caller once his token is taken back, has ended or his user is
 * disabled, or, for what runs in a cluster, once he is no longer a member of it.
 */
import { setMaxListeners } from 'node:events';
import type { Token, User } from '@drover/api';
import { forbidden, unauthorized } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import type { Access } from './access.ts';
import { isOver } from './token-life.ts';

export type RevokedListener = (revoked: { readonly tokenId?: string; readonly userId: string }) => void;

export interface SessionsDeps {
  readonly caches: Caches;
  readonly access: Access;
  readonly now?: () => number;
  /** How often tokens that ended by themselves are looked for, in ms. */
  readonly sweepEveryMs?: number;
}

interface Running {
  readonly caller: Caller;
  readonly clusterId: string | undefined;
  readonly controller: AbortController;
}

export class Sessions {
  readonly #caches: Caches;
  readonly #access: Access;
  readonly #now: () => number;
  /** By token, then by cluster (`''` for what runs in none): as many as there are live tokens and clusters they used. */
  readonly #running = new Map<string, Map<string, Running>>();
  readonly #listeners = new Set<RevokedListener>();

  constructor(deps: SessionsDeps, signal: AbortSignal) {
    this.#caches = deps.caches;
    this.#access = deps.access;
    this.#now = deps.now ?? Date.now;
    deps.caches.token.subscribe(({ before, after }) => this.#onToken(before, after), signal);
    deps.caches.user.subscribe(({ before, after }) => this.#onUser(before, after), signal);
    for (const id of [
      'clusterRoleTemplateBinding',
      'projectRoleTemplateBinding',
      'globalRoleBinding',
      'globalRole',
    ] as const) {
      deps.caches[id].subscribe(({ before }) => before && this.#recheckMembers(), signal);
    }
    const timer = setInterval(() => this.#sweep(), deps.sweepEveryMs ?? 10_000).unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /**
   * Aborts (with Unauthorized or Forbidden as its reason) when the caller's token or user stops being good; given a
   * cluster, also when he stops being a member of it. Aborted already where that has happened since he signed in.
   */
  signalFor(caller: Caller, clusterId?: string): AbortSignal {
    const place = clusterId ?? '';
    let places = this.#running.get(caller.tokenId);
    const there = places?.get(place);
    if (there) return there.controller.signal;
    const running: Running = { caller, clusterId, controller: new AbortController() };
    setMaxListeners(0, running.controller.signal);
    const token = this.#caches.token.get(caller.tokenId);
    const user = this.#caches.user.get(caller.userId);
    if (!isGoodToken(token, this.#now()) || !isGoodUser(user)) {
      running.controller.abort(unauthorized());
      return running.controller.signal;
    }
    if (!places) this.#running.set(caller.tokenId, (places = new Map()));
    places.set(place, running);
    return running.controller.signal;
  }

  /** Told once for each token taken back and each user disabled or removed; ends with the signal. */
  onRevoked(listener: RevokedListener, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  #onToken(before: Token | undefined, after: Token | undefined): void {
    if (!before || isGoodToken(after, this.#now())) return;
    this.#cutToken(before.metadata.name);
    this.#tell({ tokenId: before.metadata.name, userId: before.userId ?? '' });
  }

  #onUser(before: User | undefined, after: User | undefined): void {
    if (!before || isGoodUser(after)) return;
    const userId = before.metadata.name;
    for (const [tokenId, places] of this.#running) {
      if (places.values().next().value?.caller.userId === userId) this.#cutToken(tokenId);
    }
    this.#tell({ userId });
  }

  #cutToken(tokenId: string): void {
    const places = this.#running.get(tokenId);
    this.#running.delete(tokenId);
    for (const { controller } of places?.values() ?? []) controller.abort(unauthorized('the session has ended'));
  }

  #recheckMembers(): void {
    for (const places of this.#running.values()) {
      for (const [place, { caller, clusterId, controller }] of places) {
        if (clusterId === undefined || this.#access.mayReach(caller, clusterId)) continue;
        places.delete(place);
        controller.abort(forbidden(`you are no longer a member of cluster "${clusterId}"`));
      }
    }
  }

  #sweep(): void {
    const now = this.#now();
    for (const tokenId of this.#running.keys()) {
      if (!isGoodToken(this.#caches.token.get(tokenId), now)) this.#cutToken(tokenId);
    }
  }

  #tell(revoked: Parameters<RevokedListener>[0]): void {
    for (const listener of this.#listeners) listener(revoked);
  }
}

function isGoodToken(token: Token | undefined, now: number): boolean {
  return token !== undefined && token.enabled !== false && !token.metadata.deletionTimestamp && !isOver(token, now);
}

function isGoodUser(user: User | undefined): boolean {
  return user !== undefined && user.enabled !== false && !user.metadata.deletionTimestamp;
}
