/**
 * Sessions: the signals that cut what is still running for a caller once his token is taken back, has ended or his user is
 * disabled, or, for what runs in a cluster, once he has lost anything that he was given there.
 */
import { setMaxListeners } from 'node:events';
import type { Token, User, UserAttribute } from '@drover/api';
import { forbidden, unauthorized } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import { type Access, subjectsOf } from './access.ts';
import { keysOfSubjects, subjectKeyOf } from './grants.ts';
import { keepsOut, type RemovalNote } from './removal-notes.ts';
import type { Removals } from './removals.ts';
import { hasLost, rightsIn } from './rights-in.ts';
import { isOver } from './token-life.ts';

export type RevokedListener = (revoked: { readonly tokenId?: string; readonly userId: string }) => void;

export interface SessionsDeps {
  readonly caches: Caches;
  readonly access: Access;
  readonly removals?: Pick<Removals, 'onChange'>;
  readonly now?: () => number;
  /** How often tokens that ended by themselves are looked for, in ms. */
  readonly sweepEveryMs?: number;
}

interface Running {
  readonly caller: Caller;
  readonly clusterId: string | undefined;
  readonly controller: AbortController;
  /** What he has been given there; nothing is kept for what runs in no cluster. */
  rights: ReadonlySet<string> | undefined;
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
    for (const id of ['clusterRoleTemplateBinding', 'projectRoleTemplateBinding', 'globalRoleBinding'] as const)
      deps.caches[id].subscribe(({ before }) => before && this.#recheckNamed(subjectKeyOf(before)), signal);
    for (const id of ['globalRole', 'roleTemplate'] as const)
      deps.caches[id].subscribe(({ before }) => before && this.#recheckMembers(), signal);
    deps.caches.project.subscribe(({ before, after }) => before && !after && this.#recheckMembers(), signal);
    deps.removals?.onChange((_, note) => note && this.#cutBy(note), signal);
    deps.caches.userAttribute.subscribe(({ before, after }) => this.#onGroups(before, after), signal);
    const timer = setInterval(() => this.#sweep(), deps.sweepEveryMs ?? 10_000).unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /**
   * Aborts (with Unauthorized or Forbidden as its reason) when the caller's token or user stops being good; given a
   * cluster, also when he loses a right or a group there. Aborted already where that has happened since he signed in.
   */
  signalFor(caller: Caller, clusterId?: string): AbortSignal {
    const place = clusterId ?? '';
    let places = this.#running.get(caller.tokenId);
    const there = places?.get(place);
    const rights = clusterId === undefined ? undefined : rightsIn(this.#access.grantsOf(caller), clusterId);
    if (there) {
      // What he was given meanwhile counts from now on; what he lost has cut it.
      there.rights = rights;
      return there.controller.signal;
    }
    const running: Running = { caller, clusterId, controller: new AbortController(), rights };
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

  /** With thousands of people at work a binding must not cost a look at the grants of each of them. */
  #recheckNamed(key: string | undefined): void {
    this.#recheckMembers(caller => keysOfSubjects(subjectsOf(caller)).includes(key ?? ''));
  }

  #recheckMembers(concerns: (caller: Caller) => boolean = () => true): void {
    for (const places of this.#running.values()) {
      for (const [place, running] of places) {
        const { caller, clusterId, rights, controller } = running;
        if (clusterId === undefined || !concerns(caller)) continue;
        const now = rightsIn(this.#access.grantsOf(caller), clusterId);
        const isMember = this.#access.mayReach(caller, clusterId);
        if (isMember && !(rights && hasLost(rights, now))) {
          running.rights = now;
          continue;
        }
        places.delete(place);
        const what = isMember ? 'your rights have changed in' : 'you are no longer a member of';
        controller.abort(forbidden(`${what} cluster "${clusterId}"`));
      }
    }
  }

  /** What a cluster may still grant is used no longer, by what runs already neither. */
  #cutBy(note: RemovalNote): void {
    const concerned = new Set(note.clusters);
    for (const places of this.#running.values()) {
      for (const [place, { caller, clusterId, controller }] of places) {
        if (clusterId === undefined || !concerned.has(clusterId)) continue;
        const who = { subjects: subjectsOf(caller), grants: this.#access.grantsOf(caller), clusterId };
        if (!keepsOut(this.#caches, note, who)) continue;
        places.delete(place);
        controller.abort(forbidden(`your rights have changed in cluster "${clusterId}"`));
      }
    }
  }

  /** A group that is left takes along whatever was given to it; what still holds is found by beginning anew. */
  #onGroups(before: UserAttribute | undefined, after: UserAttribute | undefined): void {
    if (!before || new Set(groupsIn(before)).isSubsetOf(new Set(groupsIn(after)))) return;
    const userId = before.metadata.name;
    for (const places of this.#running.values()) {
      for (const [place, { caller, clusterId, controller }] of places) {
        if (clusterId === undefined || caller.userId !== userId) continue;
        places.delete(place);
        controller.abort(forbidden('your groups have changed'));
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

const groupsIn = (attribute: UserAttribute | undefined): string[] =>
  Object.values(attribute?.groupPrincipals ?? {}).flat();

function isGoodToken(token: Token | undefined, now: number): boolean {
  return token !== undefined && token.enabled !== false && !token.metadata.deletionTimestamp && !isOver(token, now);
}

function isGoodUser(user: User | undefined): boolean {
  return user !== undefined && user.enabled !== false && !user.metadata.deletionTimestamp;
}
