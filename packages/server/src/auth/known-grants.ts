/**
 * KnownGrants: what was gathered for a caller, kept until something of it changes. A binding that comes or goes concerns those whom it names,
 * and nobody else has to be looked at anew; a role, or a project that goes, concerns everybody.
 */
import { type Caches, noteRead, type Source } from '../resources/index.ts';
import type { Subjects } from './grants.ts';
import { backingNamespaceOf, bindingTypes, type Grants, gatherGrants, keysOfSubjects, subjectKeyOf } from './grants.ts';

interface Known {
  changes: number;
  readonly grants: Grants;
  readonly subjects: readonly string[];
}

export class KnownGrants implements Source {
  /** Grows whenever anybody's may have changed. */
  changes = 0;
  readonly #caches: Caches;
  readonly #keep: number;
  readonly #known = new Map<string, Known>();
  readonly #named = new WeakMap<Subjects, { readonly keys: readonly string[]; readonly key: string }>();
  /** The keys of what is known, by each subject that counted for it. */
  readonly #bySubject = new Map<string, Set<string>>();

  /** Remembers `keep` callers at most; ends with the signal. */
  constructor(caches: Caches, keep: number, signal: AbortSignal) {
    this.#caches = caches;
    this.#keep = keep;
    for (const id of bindingTypes)
      caches[id].subscribe(({ before, after }) => {
        for (const binding of [before, after]) {
          const subject = binding && subjectKeyOf(binding);
          if (subject !== undefined) this.#forgetSubject(subject);
        }
      }, signal);
    for (const id of ['globalRole', 'roleTemplate'] as const) caches[id].subscribe(() => this.#clear(), signal);
    // Their status changes all the time, and says nothing of rights.
    caches.cluster.subscribe(({ before, after }) => {
      if (!before !== !after) this.#clear();
    }, signal);
    caches.project.subscribe(({ before, after }) => {
      const place = [before, after].map(one => one && backingNamespaceOf(one));
      if (place[0] !== place[1]) this.#clear();
    }, signal);
  }

  of(subjects: Subjects): Grants {
    let named = this.#named.get(subjects);
    if (!named) {
      const keys = keysOfSubjects(subjects);
      this.#named.set(subjects, (named = { keys, key: JSON.stringify(keys) }));
    }
    const { keys, key } = named;
    let known = this.#known.get(key);
    if (!known)
      this.#keepKnown(key, (known = { changes: 0, grants: gatherGrants(this.#caches, subjects), subjects: keys }));
    noteRead(known);
    return known.grants;
  }

  #keepKnown(key: string, known: Known): void {
    if (this.#known.size >= this.#keep) this.#forget(this.#known.keys().next().value!);
    this.#known.set(key, known);
    for (const subject of known.subjects) {
      const of = this.#bySubject.get(subject);
      if (of) of.add(key);
      else this.#bySubject.set(subject, new Set([key]));
    }
  }

  #forgetSubject(subject: string): void {
    this.changes++;
    for (const key of [...(this.#bySubject.get(subject) ?? [])]) this.#forget(key);
  }

  #forget(key: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    known.changes++;
    this.#known.delete(key);
    for (const subject of known.subjects) {
      const of = this.#bySubject.get(subject);
      if (of?.delete(key) && of.size === 0) this.#bySubject.delete(subject);
    }
  }

  #clear(): void {
    this.changes++;
    for (const known of this.#known.values()) known.changes++;
    this.#known.clear();
    this.#bySubject.clear();
  }
}
