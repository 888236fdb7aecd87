/** Setting: a named value of the server. Where it comes from (environment, stored, default) shows in `source`. */
import { oneOf, string } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault, readOnly } from './shared.ts';

export const setting = defineType({
  id: 'setting',
  pluralName: 'settings',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Setting',
  resource: 'settings',
  scope: 'cluster',
  namePrefix: 's-',
  top: {
    value: string({ required: true }),
    default: string(readOnly),
    customized: falseByDefault(readOnly),
    source: oneOf(['db', 'default', 'env'], readOnly),
  },
  v3: { collectionMethods: ['GET'], resourceMethods: ['GET', 'PUT', 'DELETE'], nameFrom: 'metadata' },
  columns: ['name', 'value', 'source'],
});
