/** Preference: what one user has chosen for himself, by key. It lives in a namespace of his own, and nobody else sees it. */
import { dnsLabel, string } from '../field.ts';
import { defineType } from '../type.ts';

export const preference = defineType({
  id: 'preference',
  pluralName: 'preferences',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Preference',
  resource: 'preferences',
  scope: 'namespaced',
  namePrefix: 'preference-',
  top: { value: string({ required: true }) },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    // The namespace is the caller's, whatever he sends: it need not be named.
    computed: {
      name: dnsLabel({ required: true, update: false }),
      namespaceId: { type: 'reference[/v3/clusters/schemas/namespace]', update: false },
    },
    nameFrom: 'metadata',
  },
  columns: ['name', 'value'],
});
