/** ComposeConfig: a document of resources of other types, made together by who sends it. It may hold secrets, so it is kept as one. */
import { string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, readOnly } from './shared.ts';

export const composeConfig = defineType({
  id: 'composeConfig',
  pluralName: 'composeConfigs',
  // Not of the management group, whose types others may be given rights over: each is its maker's own.
  group: 'compose.drover.io',
  version: 'v1',
  kind: 'ComposeConfig',
  resource: 'composeconfigs',
  scope: 'cluster',
  namePrefix: 'compose-',
  top: { status: struct('composeStatus', { conditions: conditions('composeCondition') }, readOnly) },
  spec: { document: string({ secret: true }) },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    computed: {
      rancherCompose: string(),
      state: { type: 'string', nullable: false, ...readOnly },
      transitioning: { type: 'enum', options: ['yes', 'no', 'error'], nullable: false, ...readOnly },
      transitioningMessage: { type: 'string', nullable: false, ...readOnly },
    },
    nameFrom: 'metadata',
  },
  columns: ['name', 'state'],
});
