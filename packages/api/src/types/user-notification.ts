/** RancherUserNotification: a notice to everybody who is signed in, by whoever may write them. */
import { string } from '../field.ts';
import { defineType } from '../type.ts';

export const rancherUserNotification = defineType({
  id: 'rancherUserNotification',
  pluralName: 'rancherUserNotifications',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'RancherUserNotification',
  resource: 'rancherusernotifications',
  scope: 'cluster',
  namePrefix: 'run-',
  top: { componentName: string(), message: string() },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    nameFrom: 'metadata',
  },
  columns: ['name', 'componentName', 'message'],
});
