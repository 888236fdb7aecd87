/**
 * AuthConfig: how one sign-in provider is configured, under the provider's name. Its own fields differ with the provider and
 * are kept as they were given, secrets apart; `/v3` shows each as its own type, such as `githubConfig`.
 */
import { array, boolean, map, oneOf, reference, string } from '../field.ts';
import { defineType } from '../type.ts';

export const authConfig = defineType({
  id: 'authConfig',
  pluralName: 'authConfigs',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'AuthConfig',
  resource: 'authconfigs',
  scope: 'cluster',
  namePrefix: 'authconfig-',
  top: {
    /** Such as `githubConfig`. */
    configType: string(),
    enabled: boolean({ nullable: false, default: false }),
    accessMode: oneOf(['required', 'restricted', 'unrestricted'], { nullable: false, default: 'unrestricted' }),
    allowedPrincipalIds: array(reference('principal')),
    /** The provider's own fields, but for secrets. */
    settings: { type: 'map[json]' } as { type: 'map[json]'; typed?: Readonly<Record<string, unknown>> },
    /** Those of its fields that nobody is shown. */
    secretSettings: map(string(), { secret: true }),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});
