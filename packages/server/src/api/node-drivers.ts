/** Drivers in v3: switched on and off, and their hosts changed, by whoever may. What a driver is stays. */
import type { NodeDriver } from '@drover/api';
import { behaviour } from './behaviour.ts';
import { changesOf, switches } from './driver-switch.ts';
import { findType } from './registry.ts';
import { showResource } from './show.ts';

const stays = ['builtin', 'url', 'name'];

export const nodeDrivers = behaviour<NodeDriver>({
  repeatable: true,
  show: (_, data) => ({
    ...data,
    state: data['active'] === true ? 'active' : 'inactive',
    transitioning: 'no',
    transitioningMessage: '',
  }),
  prepareUpdate: (_, input) => changesOf(input, stays),
  actions: switches('nodeDriver', (request, changed) => showResource(request, findType('nodeDriver')!, changed)),
});
