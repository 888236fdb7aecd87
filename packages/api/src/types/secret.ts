/** Secret: what must be kept but not seen, in the server's own namespaces. No API serves it; every value is encrypted at rest. */
import { map, string } from '../field.ts';
import { defineType } from '../type.ts';

export const secret = defineType({
  id: 'secret',
  pluralName: 'secrets',
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  scope: 'namespaced',
  namePrefix: 'secret-',
  top: {
    type: string(),
    /** Plain text in memory, unlike Kubernetes' base64. */
    stringData: map(string(), { secret: true }),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});
