/** Drivers in v3: switched on and off, and their hosts changed, by whoever may. What a driver is stays. */
import type { NodeDriver, V3Data } from '@drover/api';
import { forbidden } from '@drover/base';
import { requireHostPatterns } from '../outbound/hosts.ts';
import { type ApiRequest, type ApiView, behaviour } from './behaviour.ts';
import { findType } from './registry.ts';
import { showResource } from './show.ts';

const mayChange = ({ deps, caller }: ApiView, { metadata: { name } }: NodeDriver) =>
  deps.auth.access.may(caller, 'update', 'nodeDriver', { name });

async function setActive(request: ApiRequest, driver: NodeDriver, active: boolean): Promise<V3Data> {
  if (!mayChange(request, driver)) throw forbidden('you may not change drivers');
  const { name } = driver.metadata;
  const changed = await request.deps.resources.modify('nodeDriver', { name }, seen => ({
    ...seen,
    spec: { ...seen.spec, active },
  }));
  return showResource(request, findType('nodeDriver')!, changed);
}

const stays = ['builtin', 'url', 'name'];

export const nodeDrivers = behaviour<NodeDriver>({
  repeatable: true,
  show: (_, data) => ({
    ...data,
    state: data['active'] === true ? 'active' : 'inactive',
    transitioning: 'no',
    transitioningMessage: '',
  }),
  prepareUpdate(_, input) {
    if (Array.isArray(input['whitelistDomains']))
      requireHostPatterns('whitelistDomains', input['whitelistDomains'] as string[]);
    return Object.fromEntries(Object.entries(input).filter(([name]) => !stays.includes(name)));
  },
  actions: {
    activate: {
      offered: (request, driver) => mayChange(request, driver) && driver.spec?.active !== true,
      run: (request, driver) => setActive(request, driver, true),
    },
    deactivate: {
      offered: (request, driver) => mayChange(request, driver) && driver.spec?.active === true,
      run: (request, driver) => setActive(request, driver, false),
    },
  },
});
