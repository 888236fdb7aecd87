/**
 * Audience: all subscribers that see one type in the same way, by the same rights and filters. A change is looked at once for
 * all of them and put into text once. Surprise: it looks with the rights of a member, and only while they are its own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TypedResource, TypeId, V3Data } from '@drover/api';
import { keyOf } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import type { Caller } from '../http/exchange.ts';
import type { FrameCache } from './frame-cache.ts';
import { changeFrame, lookAt, removeFrame, type Wanted } from './look.ts';

/** A subscriber, as an audience sees it. */
export interface Member {
  readonly view: ApiView;
  /** False while it is open which rights he has by now: until that is settled he is told nothing. */
  readonly isSettled: boolean;
  /** `before` is the id under which members were shown it until now. */
  tell(audience: Audience, news: { readonly key: string; readonly before: string | undefined; frame: Buffer }): void;
  /** Has him look for himself, once he may. */
  later(audience: Audience, key: string, before: string | undefined): void;
  drop(code: number, reason: string): void;
}

export interface AudienceDeps {
  readonly rightsOf: (caller: Caller) => string;
  readonly frames: FrameCache;
  /** Told of a member whose rights are no longer the audience's. */
  readonly onStranger: (member: Member) => void;
  readonly onError: (error: unknown) => void;
}

/** Looked at in one go when an audience is new, before others get their turn. */
const chunk = 100;
let serials = 0;

/** The links and actions, by name. */
const offersIn = ({ links, actions }: V3Data): string =>
  Object.keys({ ...(links as object), ...(actions as object) }).join();

export class Audience {
  readonly id: string;
  readonly rights: string;
  readonly wanted: Wanted;
  readonly members = new Set<Member>();
  /** The ids of what its members are shown, by the resource's key. */
  readonly ids = new Map<string, string>();
  /** What its members are shown that they may do with most of them, and with those that are unlike most. */
  #usual: string | undefined;
  readonly #unusual = new Map<string, string>();
  /** How many wait for it to be filled. */
  waiting = 0;
  /** One that was empty for a while has missed changes, and what it made is never used again. */
  readonly #serial = ++serials;
  readonly #deps: AudienceDeps;
  readonly #changed = new Set<string>();
  /** Changed while no member had the rights to look. */
  readonly #unseen = new Set<string>();
  /** Being looked at just now. */
  #current: string | undefined;
  #working = false;

  constructor(deps: AudienceDeps, id: string, { rights, wanted }: { rights: string; wanted: Wanted }) {
    this.#deps = deps;
    this.id = id;
    this.rights = rights;
    this.wanted = wanted;
  }

  /** Whether members have been told of, or have noted, all that it knows of. */
  get isIdle(): boolean {
    return !this.#working && this.#unseen.size === 0;
  }

  /** Looks at all that is there, with the rights of who comes first; false when they changed on the way. */
  async fill(view: ApiView): Promise<boolean> {
    const all = view.deps.caches[this.wanted.type.stored!].all() as IterableIterator<TypedResource<TypeId>>;
    let looked = 0;
    for (const key of Array.from(all, resource => keyOf(resource.metadata))) {
      if (++looked % chunk === 0) await nextTurn();
      if (this.#deps.rightsOf(view.caller) !== this.rights) return false;
      const found = lookAt(view, this.wanted, key);
      this.#keep(key, found instanceof Promise ? await found : found);
    }
    return true;
  }

  /** What may be done with the resource of that key, for one that is shown. */
  offersOf(key: string): string | undefined {
    return this.#unusual.get(key) ?? this.#usual;
  }

  join(member: Member): void {
    this.members.add(member);
    for (const key of this.#unseen) this.note(key);
    this.#unseen.clear();
  }

  /** Takes the member out; what he was not told of yet he looks at himself. */
  leave(member: Member): string[] {
    this.members.delete(member);
    const current = this.#current === undefined ? [] : [this.#current];
    return [...current, ...this.#changed, ...this.#unseen];
  }

  /** A resource has changed, or is gone. */
  note(key: string): void {
    this.#deps.frames.delete(this.#frameKey(key));
    this.#changed.add(key);
    if (this.#working) return;
    this.#working = true;
    // Changes of one turn are looked at together: of a resource that changes twice, once.
    setImmediate(() => void this.#work());
  }

  /** The resource's frame for a member who looks for himself; undefined where there is nothing to be seen. */
  frameFor(view: ApiView, key: string): Buffer | undefined | Promise<Buffer | undefined> {
    const known = this.#deps.frames.get(this.#frameKey(key));
    if (known) return known;
    const found = lookAt(view, this.wanted, key);
    const frameOf = (data: V3Data | undefined) => data && this.#frame(key, data);
    return found instanceof Promise ? found.then(frameOf) : frameOf(found);
  }

  async #work(): Promise<void> {
    for (const key of this.#changed) {
      this.#changed.delete(key);
      this.#current = key;
      try {
        await this.#publish(key);
      } catch (error) {
        this.#deps.onError(error);
        for (const member of this.members) member.drop(1011, 'internal error');
      }
    }
    this.#current = undefined;
    this.#working = false;
  }

  async #publish(key: string): Promise<void> {
    const before = this.ids.get(key);
    const view = this.#view();
    if (!view) {
      this.#unseen.add(key);
      for (const member of this.members) member.later(this, key, before);
      return;
    }
    const found = lookAt(view, this.wanted, key);
    const data = found instanceof Promise ? await found : found;
    this.#keep(key, data);
    if (!data && before === undefined) return;
    const frame = data ? this.#frame(key, data) : removeFrame(this.wanted.type, before!);
    for (const member of this.members) member.tell(this, { key, before, frame });
  }

  /** Of a member who has these rights by now. */
  #view(): ApiView | undefined {
    for (const member of this.members) {
      if (!member.isSettled) continue;
      if (this.#deps.rightsOf(member.view.caller) === this.rights) return member.view;
      this.#deps.onStranger(member);
    }
    return undefined;
  }

  #keep(key: string, data: V3Data | undefined): void {
    this.#unusual.delete(key);
    if (!data) {
      this.ids.delete(key);
      return;
    }
    this.ids.set(key, String(data['id']));
    const offers = offersIn(data);
    this.#usual ??= offers;
    if (offers !== this.#usual) this.#unusual.set(key, offers);
  }

  #frame(key: string, data: V3Data): Buffer {
    const frame = changeFrame(data);
    this.#deps.frames.set(this.#frameKey(key), frame);
    return frame;
  }

  #frameKey(key: string): string {
    return `${this.#serial} ${key}`;
  }
}
