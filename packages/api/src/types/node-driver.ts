/** NodeDriver: a cloud that the server knows: the hosts of its API can be asked through the server while the driver is active. */
import { array, string } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault, readOnly } from './shared.ts';

export const nodeDriver = defineType({
  id: 'nodeDriver',
  pluralName: 'nodeDrivers',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'NodeDriver',
  resource: 'nodedrivers',
  scope: 'cluster',
  namePrefix: 'nd-',
  spec: {
    displayName: string({ as: 'name' }),
    description: string(),
    active: falseByDefault(),
    addCloudCredential: falseByDefault(),
    builtin: falseByDefault(),
    checksum: string(),
    externalId: string(),
    uiUrl: string(),
    url: string({ required: true }),
    whitelistDomains: array(string()),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET', 'PUT'],
    resourceActions: { activate: { output: 'nodeDriver' }, deactivate: { output: 'nodeDriver' } },
    computed: {
      state: { type: 'string', nullable: false, ...readOnly },
      transitioning: { type: 'enum', options: ['yes', 'no', 'error'], nullable: false, ...readOnly },
      transitioningMessage: { type: 'string', nullable: false, ...readOnly },
    },
    nameFrom: 'displayName',
  },
  columns: ['id', 'name', 'state'],
});
