/** FleetWorkspace: a place that clusters are in, one at a time; its maker owns it. The cluster that the server runs itself has a namespace for each. */
import { struct } from '../field.ts';
import { defineType } from '../type.ts';
import { readOnly } from './shared.ts';

export const fleetWorkspace = defineType({
  id: 'fleetWorkspace',
  pluralName: 'fleetWorkspaces',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'FleetWorkspace',
  resource: 'fleetworkspaces',
  scope: 'cluster',
  namePrefix: 'fws-',
  top: { status: struct('fleetWorkspaceStatus', {}, readOnly) },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'metadata',
  },
  columns: ['name'],
});
