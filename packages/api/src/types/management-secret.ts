/** ManagementSecret: a secret that somebody keeps on the server, for scripts and people of his that read it there. Encrypted at rest. */
import { boolean, hostname, map, string } from '../field.ts';
import { defineType } from '../type.ts';

export const managementSecret = defineType({
  id: 'managementSecret',
  pluralName: 'managementSecrets',
  // Not of the management group, whose types others may be given rights over: each is its maker's own.
  group: 'secrets.drover.io',
  version: 'v1',
  kind: 'ManagementSecret',
  resource: 'managementsecrets',
  scope: 'cluster',
  namePrefix: 'secret-',
  spec: {
    /** As Kubernetes has it: base64, by key. */
    kept: map(string(), { secret: true }),
    kind: string({ as: 'type' }),
    immutable: boolean(),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    computed: {
      data: { type: 'map[base64]' },
      name: hostname({ required: true, nullable: false, update: false }),
      stringData: map(string()),
    },
    nameFrom: 'metadata',
  },
  columns: ['name', 'type'],
});
