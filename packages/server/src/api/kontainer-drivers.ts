/** Ways of making clusters in v3: switched on and off by whoever may. What a way is stays; what was made with it stays, too. */
import type { KontainerDriver } from '@drover/api';
import { behaviour } from './behaviour.ts';
import { changesOf, switches } from './driver-switch.ts';

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
  prepareUpdate: (_, input) => changesOf(input, stays),
  actions: switches('kontainerDriver', () => ({})),
});
