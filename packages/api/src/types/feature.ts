/** Feature: a part of the server that is switched on or off. Without a value it has its default; a locked one stays as it is. */
import { boolean, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault, readOnly } from './shared.ts';

export const feature = defineType({
  id: 'feature',
  pluralName: 'features',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Feature',
  resource: 'features',
  scope: 'cluster',
  namePrefix: 'f-',
  top: {
    status: struct(
      'featureStatus',
      {
        default: falseByDefault(readOnly),
        description: string(readOnly),
        /** Whether it changes while the server runs. */
        dynamic: falseByDefault(readOnly),
        lockedValue: boolean(readOnly),
      },
      readOnly,
    ),
  },
  spec: { value: boolean({ required: true }) },
  v3: { collectionMethods: ['GET'], resourceMethods: ['GET', 'PUT'], nameFrom: 'metadata' },
  columns: ['name', 'value'],
});
