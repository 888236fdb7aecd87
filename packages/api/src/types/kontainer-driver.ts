/** KontainerDriver: a way of making clusters that the server knows. While it is not active, no new cluster is made with it. */
import { array, string } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

export const kontainerDriver = defineType({
  id: 'kontainerDriver',
  pluralName: 'kontainerDrivers',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'KontainerDriver',
  resource: 'kontainerdrivers',
  scope: 'cluster',
  namePrefix: 'kd-',
  spec: {
    active: falseByDefault(),
    builtIn: falseByDefault({ update: false }),
    checksum: string(),
    uiUrl: string(),
    url: string({ required: true }),
    whitelistDomains: array(string()),
  },
  status: {
    actualUrl: string(readOnly),
    conditions: conditions('condition'),
    displayName: string({ as: 'name' }),
    executablePath: string(readOnly),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET', 'PUT'],
    resourceActions: { activate: {}, deactivate: {} },
    status: 'lifted',
    nameFrom: 'displayName',
  },
  columns: ['id', 'name', 'state'],
});
