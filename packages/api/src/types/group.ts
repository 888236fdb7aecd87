/** Group and GroupMember: groups that older clients keep for themselves. They give nobody a right: groups with rights are principals. */
import { reference, string } from '../field.ts';
import { defineType } from '../type.ts';

export const group = defineType({
  id: 'group',
  pluralName: 'groups',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Group',
  resource: 'groups',
  scope: 'cluster',
  namePrefix: 'g-',
  top: { displayName: string({ as: 'name' }), externalId: string(), provider: string() },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'displayName',
  },
  columns: ['id', 'name', 'provider'],
});

export const groupMember = defineType({
  id: 'groupMember',
  pluralName: 'groupMembers',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'GroupMember',
  resource: 'groupmembers',
  scope: 'cluster',
  namePrefix: 'gm-',
  top: {
    groupName: reference('group', { as: 'groupId' }),
    principalId: reference('principal'),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'metadata',
  },
  columns: ['name', 'groupId', 'principalId'],
});
