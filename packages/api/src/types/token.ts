/** Token: what a client shows to be somebody. Only a hash of its key is kept; the key is answered once, on create. */
import { array, boolean, date, int, map, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault } from './shared.ts';

export const token = defineType({
  id: 'token',
  pluralName: 'tokens',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Token',
  resource: 'tokens',
  scope: 'cluster',
  namePrefix: 'token-',
  top: {
    /** `$3:1:<salt>:<hash>`; never shown. */
    token: string({ writeOnly: true, update: false }),
    userId: reference('user'),
    userPrincipal: reference('principal'),
    groupPrincipals: array(reference('principal')),
    authProvider: string(),
    providerInfo: map(string()),
    description: string(),
    clusterName: reference('cluster', { as: 'clusterId', update: false }),
    /** Milliseconds; 0 = the default of the settings. */
    ttl: int({ nullable: false, default: 0 }),
    expiresAt: string(),
    lastUsedAt: date(),
    activityLastSeenAt: date(),
    enabled: boolean({ default: true }),
    isDerived: falseByDefault(),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    collectionActions: {
      logout: {},
      logoutAll: { input: 'authConfigLogoutInput', output: 'authConfigLogoutOutput' },
    },
    computed: { current: falseByDefault(), expired: falseByDefault() },
    nameFrom: 'metadata',
  },
  columns: ['id', 'description', 'clusterId', 'expiresAt', 'lastUsedAt'],
});
