/** User: somebody who signs in. Passwords are kept apart, as a Secret of their own; `password` is taken on create only. */
import { array, boolean, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

export const user = defineType({
  id: 'user',
  pluralName: 'users',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'User',
  resource: 'users',
  scope: 'cluster',
  namePrefix: 'u-',
  top: {
    displayName: string({ as: 'name' }),
    description: string(),
    username: string(),
    /** Taken on create, and never stored here. */
    password: string({ writeOnly: true, update: false }),
    enabled: boolean({ default: true }),
    mustChangePassword: falseByDefault(),
    principalIds: array(reference('principal')),
  },
  status: { conditions: conditions('userCondition') },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    resourceActions: { refreshauthprovideraccess: {}, setpassword: { input: 'setPasswordInput', output: 'user' } },
    collectionActions: { changepassword: { input: 'changePasswordInput' }, refreshauthprovideraccess: {} },
    computed: { me: falseByDefault(readOnly) },
    status: 'lifted',
    nameFrom: 'displayName',
  },
  columns: ['id', 'username', 'name', 'enabled'],
});

/** What is known of a user from his sign-in providers: his groups, and when they were last read. */
export const userAttribute = defineType({
  id: 'userAttribute',
  pluralName: 'userAttributes',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'UserAttribute',
  resource: 'userattributes',
  scope: 'cluster',
  namePrefix: 'ua-',
  top: {
    /** Group principals by provider. */
    groupPrincipals: { type: 'map[json]' } as {
      type: 'map[json]';
      typed?: Readonly<Record<string, readonly string[]>>;
    },
    /** What each provider itself knows him by, whatever he is called there. */
    lastingIds: { type: 'map[string]' } as { type: 'map[string]'; typed?: Readonly<Record<string, string>> },
    lastRefresh: string(),
    lastLogin: string(),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});
