/**
 * Rights as a text: callers of one text have been given the same, so that what one may see may be shown to all of them.
 * Surprise: it says nothing of what is a caller's own (his user, his tokens); for those the caller himself is the key.
 */
import { createHash } from 'node:crypto';
import type { Grants, ScopeGrants } from '../auth/grants.ts';
import type { Access } from '../auth/index.ts';
import type { Caller } from '../http/exchange.ts';

export class RightsKeys {
  readonly #access: Access;
  /** Grants are made anew when a binding changes, so their text never has to be. */
  readonly #texts = new WeakMap<Grants, string>();
  #generation = 0;

  constructor(access: Access) {
    this.#access = access;
  }

  of(caller: Caller): string {
    const grants = this.#access.grantsOf(caller);
    let text = this.#texts.get(grants);
    if (text === undefined) this.#texts.set(grants, (text = textOf(grants)));
    return `${this.#generation} ${caller.clusterId ?? ''} ${text}`;
  }

  /** A role means something else from now on: every text is another. */
  rolesChanged(): void {
    this.#generation++;
  }
}

function textOf({ admin, rules, namespaced, clusters, projects, everyCluster }: Grants): string {
  // Whoever may do everything sees everything, whatever else he was given.
  if (admin) return 'admin';
  const scopes = (of: ReadonlyMap<string, ScopeGrants>) =>
    [...of].map(([id, scope]) => [id, ...scopeText(scope)]).sort();
  const all = [
    rules.map(rule => JSON.stringify(rule)).sort(),
    [...namespaced].sort(([a], [b]) => (a < b ? -1 : 1)),
    scopes(clusters),
    scopes(projects),
    everyCluster ? scopeText(everyCluster) : [],
  ];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url');
}

/** A scope's rules are those of its templates. */
const scopeText = ({ templates, owner }: ScopeGrants) => [String(owner), ...[...templates].sort()];
