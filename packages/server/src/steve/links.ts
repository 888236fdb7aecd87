/** Links of an object for one person: what he may do with exactly this one. A method that is refused to all is a link that says so. */

import type { Rights } from './rbac.ts';
import type { Realm, Shown } from './realm.ts';
import type { Method, SteveType } from './steve-type.ts';

/** What all that one person is shown in one answer has in common. */
export interface View {
  readonly realm: Realm;
  readonly rights: Rights;
  /** `https://host[:port]`. */
  readonly base: string;
  /** `…/v1` as this client reaches it. */
  readonly root: string;
}

export type Linker = (shown: Pick<Shown, 'id' | 'namespace' | 'name'>) => Record<string, string>;

const offered: readonly { readonly link: string; readonly method: Method; readonly verb: string }[] = [
  { link: 'update', method: 'PUT', verb: 'update' },
  { link: 'patch', method: 'PATCH', verb: 'patch' },
  { link: 'remove', method: 'DELETE', verb: 'delete' },
];

/** Gives each object's links; what holds for a whole namespace is worked out once. */
export function linker({ realm, rights, base, root }: View, type: SteveType): Linker {
  const whole = new Map<string, boolean>();
  const may = (verb: string, { namespace, name }: { namespace: string; name: string }): boolean => {
    const key = `${verb} ${namespace}`;
    let all = whole.get(key);
    if (all === undefined) whole.set(key, (all = rights.may(verb, type, { namespace })));
    return all || rights.may(verb, type, { namespace, name });
  };
  return shown => {
    const self = `${root}/${type.plural}/${shown.id}`;
    const links: Record<string, string> = { self };
    for (const { link, method, verb } of offered) {
      if (!type.verbs.includes(verb) || !may(verb, shown)) continue;
      links[link] = type.blocked?.includes(method) ? 'blocked' : self;
    }
    if (type.verbs.includes('get') && may('get', shown)) links['view'] = `${base}${realm.view(type, shown)}`;
    return { ...links, ...realm.links?.(type, shown) };
  };
}

/** The object as it is sent. */
export function render(type: SteveType, shown: Shown, links: Linker): string {
  return `{"id":${JSON.stringify(shown.id)},"type":"${type.id}","links":${JSON.stringify(links(shown))},${shown.text}}`;
}
