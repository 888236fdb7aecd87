/**
 * Hub: everybody who is subscribed on this server, over one watch per type. It brings those together who see the same, and
 * moves them when their rights change: from that moment on they are told nothing until it is clear what they may see.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { TypedResource, TypeId } from '@drover/api';
import type { ApiDeps, ApiView, ServedType } from '../api/behaviour.ts';
import { subjectsOf } from '../auth/access.ts';
import { keysOfSubjects, subjectKeyOf } from '../auth/grants.ts';
import { Audience, type AudienceDeps } from './audience.ts';
import { ChangeLog } from './change-log.ts';
import { FrameCache } from './frame-cache.ts';
import { idFor, wantedOf } from './look.ts';
import { RightsKeys } from './rights-key.ts';
import { Subscriber, type SubscriberOptions } from './subscriber.ts';

type Any = TypedResource<TypeId>;

/** What is shown of these hangs on nothing of the caller but his rights; of all others on himself as well. */
const byRightsOnly: ReadonlySet<TypeId> = new Set<TypeId>([
  'cluster',
  'clusterRoleTemplateBinding',
  'globalRole',
  'globalRoleBinding',
  'node',
  'project',
  'projectRoleTemplateBinding',
  'roleTemplate',
]);
const bindingTypes = ['clusterRoleTemplateBinding', 'projectRoleTemplateBinding', 'globalRoleBinding'] as const;
const roleTypes = ['globalRole', 'roleTemplate'] as const;
/** So many at once are looked at right when a binding of theirs changes. */
const fewEnough = 100;

export interface HubOptions {
  /** Changes of who may do what are gathered for so long before anybody is moved. */
  readonly settleAfterMs?: number;
}

export class Hub {
  readonly #deps: ApiDeps;
  readonly #settleAfterMs: number;
  readonly #rights: RightsKeys;
  readonly #audiences = new Map<string, { readonly audience: Audience; readonly filled: Promise<boolean> }>();
  readonly #byType = new Map<TypeId, Set<Audience>>();
  /** By each name that a binding may know them by. */
  readonly #bySubject = new Map<string, Set<Subscriber>>();
  /** The names that bindings may know each by, as they were when he came. */
  readonly #namesOf = new WeakMap<Subscriber, readonly string[]>();
  readonly #unsettled = new Set<Subscriber>();
  readonly #log = new ChangeLog();
  /** Bookmarks of another process are none of ours. */
  readonly #epoch = randomBytes(9).toString('base64url');
  readonly #audienceDeps: AudienceDeps;
  /** The caches end with the server, and the hub with them. */
  readonly #forGood = new AbortController().signal;
  #soon: NodeJS.Timeout | undefined;

  constructor(deps: ApiDeps, { settleAfterMs = 500 }: HubOptions = {}) {
    this.#deps = deps;
    this.#settleAfterMs = settleAfterMs;
    this.#rights = new RightsKeys(deps.auth.access);
    this.#audienceDeps = {
      rightsOf: caller => this.#rights.of(caller),
      frames: new FrameCache(),
      onStranger: member => this.#unsettle([member as Subscriber]),
      onError: error => deps.log.error({ err: error }, 'a subscription ended in a way it should not'),
    };
    this.#watchRights();
  }

  add(view: ApiView, options: SubscriberOptions): Subscriber {
    const subscriber = new Subscriber(view, options, of => this.#bookmark(of));
    const names = keysOfSubjects(subjectsOf(view.caller));
    this.#namesOf.set(subscriber, names);
    for (const name of names) {
      const known = this.#bySubject.get(name);
      if (known) known.add(subscriber);
      else this.#bySubject.set(name, new Set([subscriber]));
    }
    for (const { stored } of options.types) this.#watch(stored!);
    this.#place(subscriber).catch(error => {
      this.#audienceDeps.onError(error);
      subscriber.drop(1011, 'internal error');
    });
    return subscriber;
  }

  remove(subscriber: Subscriber): void {
    const left = subscriber.audiences;
    subscriber.close();
    this.#unsettled.delete(subscriber);
    for (const name of this.#namesOf.get(subscriber) ?? []) {
      const known = this.#bySubject.get(name);
      known?.delete(subscriber);
      if (known?.size === 0) this.#bySubject.delete(name);
    }
    for (const audience of left) this.#forgetEmpty(audience);
  }

  /** One watch for all subscribers of a type. It stays, so that the log knows what changed while nobody was there. */
  #watch(type: TypeId): void {
    if (this.#byType.has(type)) return;
    const audiences = new Set<Audience>();
    this.#byType.set(type, audiences);
    let isThere = false;
    this.#deps.caches[type].subscribe(({ key, before, after }: { key: string; before?: Any; after?: Any }) => {
      if (!isThere) return;
      this.#log.note(type, key, after ? undefined : before);
      for (const audience of audiences) audience.note(key);
    }, this.#forGood);
    isThere = true;
  }

  #watchRights(): void {
    const { caches } = this.#deps;
    for (const type of bindingTypes) {
      caches[type].subscribe(({ before, after }) => {
        const named = [before, after].flatMap(binding => (binding && subjectKeyOf(binding)) ?? []);
        if (this.#bySubject.size > 0) this.#unsettle(named.flatMap(name => [...(this.#bySubject.get(name) ?? [])]));
      }, this.#forGood);
    }
    for (const type of roleTypes) {
      caches[type].subscribe(() => {
        this.#rights.rolesChanged();
        if (this.#bySubject.size > 0) this.#unsettle([...this.#bySubject.values()].flatMap(all => [...all]));
      }, this.#forGood);
    }
  }

  /** They are told nothing more until it is known what they may see. */
  #unsettle(concerned: readonly Subscriber[]): void {
    for (const subscriber of concerned) {
      subscriber.isSettled = false;
      this.#unsettled.add(subscriber);
    }
    if (concerned.length === 0) return;
    if (this.#unsettled.size <= fewEnough) queueMicrotask(() => this.#releaseUnchanged());
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#releaseUnchanged();
      for (const subscriber of this.#unsettled) {
        this.#unsettled.delete(subscriber);
        this.#place(subscriber).catch(error => {
          this.#audienceDeps.onError(error);
          subscriber.drop(1011, 'internal error');
        });
      }
    }, this.#settleAfterMs).unref();
  }

  /** Most bindings change nothing for most of those they name. */
  #releaseUnchanged(): void {
    for (const subscriber of this.#unsettled) {
      if (subscriber.rights !== this.#rights.of(subscriber.view.caller)) continue;
      this.#unsettled.delete(subscriber);
      subscriber.settle();
    }
  }

  /** Gives it its place among those who see the same, as often as its rights change meanwhile. */
  async #place(subscriber: Subscriber): Promise<void> {
    const { caller } = subscriber.view;
    for (;;) {
      const rights = this.#rights.of(caller);
      const audiences = await this.#audiencesOf(subscriber, rights);
      if (audiences && !subscriber.isClosed && this.#rights.of(caller) === rights) {
        const isNew = subscriber.rights === undefined;
        const left = subscriber.audiences;
        subscriber.move(audiences);
        subscriber.rights = rights;
        if (isNew) this.#begin(subscriber);
        for (const audience of audiences) audience.waiting--;
        for (const audience of left) this.#forgetEmpty(audience);
        this.#unsettled.delete(subscriber);
        return subscriber.settle();
      }
      for (const audience of audiences ?? []) this.#leaveQueue(audience);
      if (subscriber.isClosed) return;
    }
  }

  #leaveQueue(audience: Audience): void {
    audience.waiting--;
    this.#forgetEmpty(audience);
  }

  /** One of each type, filled; undefined when the rights are others by now. Each counts one more as waiting for it. */
  async #audiencesOf(subscriber: Subscriber, rights: string): Promise<Audience[] | undefined> {
    const found: Audience[] = [];
    for (const type of subscriber.types) {
      const { audience, filled } = this.#audience(subscriber, type, rights);
      audience.waiting++;
      found.push(audience);
      if (await filled) continue;
      this.#forget(audience);
      for (const one of found) this.#leaveQueue(one);
      return undefined;
    }
    return found;
  }

  #audience(subscriber: Subscriber, type: ServedType, rights: string) {
    const { view, query } = subscriber;
    const wanted = wantedOf(view, type, query);
    const { caller, base, versionPath, context } = view;
    const self = byRightsOnly.has(type.stored!) ? [] : [caller.userId, caller.tokenId];
    const id = JSON.stringify([type.stored, rights, self, base, versionPath, context?.id, wanted.filters]);
    let known = this.#audiences.get(id);
    if (!known) {
      const audience = new Audience(this.#audienceDeps, id, { rights, wanted });
      this.#byType.get(type.stored!)!.add(audience);
      known = { audience, filled: audience.fill(view) };
      this.#audiences.set(id, known);
      known.filled.catch(() => this.#forget(audience));
    }
    return known;
  }

  #forgetEmpty(audience: Audience): void {
    if (audience.members.size === 0 && audience.waiting === 0) this.#forget(audience);
  }

  #forget(audience: Audience): void {
    this.#byType.get(audience.wanted.type.stored!)!.delete(audience);
    if (this.#audiences.get(audience.id)?.audience === audience) this.#audiences.delete(audience.id);
  }

  /** All that is there, or what changed since the bookmark. */
  #begin(subscriber: Subscriber): void {
    const { resume } = subscriber;
    const position = resume === undefined ? undefined : this.#positionIn(resume, subscriber);
    if (position !== undefined && this.#tellSince(subscriber, position)) return;
    if (resume !== undefined) subscriber.say('resource.reset');
    for (const audience of subscriber.audiences)
      subscriber.tellOf(
        audience,
        Array.from(audience.ids.keys(), key => [key, undefined] as const),
      );
  }

  #tellSince(subscriber: Subscriber, position: number): boolean {
    const changes = subscriber.audiences.map(audience => this.#log.since(position, audience.wanted.type.stored!));
    if (changes.includes(undefined)) return false;
    for (const [i, audience] of subscriber.audiences.entries()) {
      const { type } = audience.wanted;
      const cache = this.#deps.caches[type.stored!];
      for (const { key, gone } of changes[i]!) {
        const last = (cache.byKey(key) as Any | undefined) ?? gone;
        // The client may have been shown it, before the filters left it out or it was deleted.
        const before = audience.ids.has(key) || !last ? undefined : idFor(subscriber.view, type, last);
        subscriber.later(audience, key, before);
      }
    }
    return true;
  }

  /** Where the client is, for as long as this server runs and he sees the same things. */
  #bookmark(subscriber: Subscriber): string | undefined {
    if (!subscriber.isCurrent) return undefined;
    subscriber.digest ??= digestOf(subscriber.audiences);
    return `${this.#epoch}.${this.#log.position}.${subscriber.digest}`;
  }

  #positionIn(bookmark: string, { audiences }: Subscriber): number | undefined {
    const [epoch, position, digest] = bookmark.split('.');
    if (epoch !== this.#epoch || digest !== digestOf(audiences) || !/^\d{1,15}$/.test(position!)) return undefined;
    return Number(position);
  }
}

function digestOf(audiences: readonly Audience[]): string {
  const hash = createHash('sha256');
  for (const { id } of audiences) hash.update(id).update('\n');
  return hash.digest('base64url').slice(0, 22);
}
