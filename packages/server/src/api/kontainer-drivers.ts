/** Ways of making clusters in v3: switched on and off by whoever may. What a way is stays; what was made with it stays, too. */
import type { KontainerDriver, V3Data } from '@drover/api';
import { forbidden } from '@drover/base';
import { requireHostPatterns } from '../outbound/hosts.ts';
import { type ApiRequest, type ApiView, behaviour } from './behaviour.ts';

const mayChange = ({ deps, caller }: ApiView, { metadata: { name } }: KontainerDriver) =>
  deps.auth.access.may(caller, 'update', 'kontainerDriver', { name });

async function setActive(request: ApiRequest, driver: KontainerDriver, active: boolean): Promise<V3Data> {
  if (!mayChange(request, driver)) throw forbidden('you may not change drivers');
  const { name } = driver.metadata;
  await request.deps.resources.modify('kontainerDriver', { name }, seen => ({
    ...seen,
    spec: { ...seen.spec, active },
  }));
  return {};
}

const isTrue = (type: string) => ({ type, status: 'True' });

const stays = ['builtIn', 'checksum', 'url', 'name'];

export const kontainerDrivers = behaviour<KontainerDriver>({
  repeatable: true,
  // It is of the server: there is nothing to wait for.
  show: (_, data) => ({
    ...data,
    conditions: ['Downloaded', 'Installed', data['active'] === true ? 'Active' : 'Inactive'].map(isTrue),
    state: data['active'] === true ? 'active' : 'inactive',
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
