/** A group that an identity provider keeps here over SCIM, with its members; no API but SCIM's shows it. */
import { array, string } from '../field.ts';
import { defineType } from '../type.ts';

export const scimGroup = defineType({
  id: 'scimGroup',
  pluralName: 'scimGroups',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'ScimGroup',
  resource: 'scimgroups',
  scope: 'cluster',
  namePrefix: 'sg-',
  top: {
    provider: string(),
    displayName: string(),
    externalId: string(),
    /** Ids of users. */
    members: array(string()),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});
