/** What both kinds of drivers have in v3: they are switched on and off, and their hosts changed, by whoever may; what a driver is stays. */
import type { KontainerDriver, NodeDriver, TypedResource, V3Data } from '@drover/api';
import { forbidden } from '@drover/base';
import { requireHostPatterns } from '../outbound/hosts.ts';
import type { ApiRequest, ApiView, ResourceAction } from './behaviour.ts';

type Id = 'nodeDriver' | 'kontainerDriver';
type Driver = NodeDriver | KontainerDriver;

const mayChange = ({ deps, caller }: ApiView, id: Id, { metadata: { name } }: Driver) =>
  deps.auth.access.may(caller, 'update', id, { name });

/** `answer`: what the caller is told of the driver as it is then. */
export function switches<One extends Id>(
  id: One,
  answer: (request: ApiRequest, changed: TypedResource<One>) => V3Data,
): Readonly<Record<'activate' | 'deactivate', ResourceAction<TypedResource<One>>>> {
  const to = (active: boolean): ResourceAction<TypedResource<One>> => ({
    offered: (request, driver) => mayChange(request, id, driver) && (driver.spec?.active === true) !== active,
    async run(request, driver) {
      if (!mayChange(request, id, driver)) throw forbidden('you may not change drivers');
      const { name } = driver.metadata;
      const change = (seen: TypedResource<One>) => ({ ...seen, spec: { ...seen.spec, active } });
      return answer(request, await request.deps.resources.modify(id, { name }, change as never));
    },
  });
  return { activate: to(true), deactivate: to(false) };
}

/** What a client may change, without the fields that stay; throws Invalid for hosts that are none. */
export function changesOf(input: V3Data, stays: readonly string[]): V3Data {
  if (Array.isArray(input['whitelistDomains']))
    requireHostPatterns('whitelistDomains', input['whitelistDomains'] as string[]);
  return Object.fromEntries(Object.entries(input).filter(([name]) => !stays.includes(name)));
}
