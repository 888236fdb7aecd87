/** The types of providers' configurations as clients know them: the fields of each, and which of them are secrets. */
import type { SchemaFields } from '@drover/api';
import known from './data/config-schemas.json' with { type: 'json' };
import { configuredProviders } from './providers.ts';

export interface ConfigType {
  readonly id: string;
  readonly pluralName: string;
  /** The provider that it configures. */
  readonly provider: string;
  readonly fields: SchemaFields;
  readonly actions: Readonly<Record<string, { readonly input?: string; readonly output?: string }>>;
}

type Known = Omit<ConfigType, 'id' | 'provider' | 'actions'> & { readonly resourceActions: ConfigType['actions'] };

const configs = known.configs as unknown as Readonly<Record<string, Known>>;

/** What actions on them take and give. */
export const configStructs = known.structs as unknown as Readonly<Record<string, SchemaFields>>;

export const configTypes: readonly ConfigType[] = configuredProviders.map(({ name, configType }) => {
  const { pluralName, fields, resourceActions } = configs[configType]!;
  return { id: configType, pluralName, provider: name, fields, actions: resourceActions };
});

export function configTypeOf(provider: string): ConfigType | undefined {
  return configTypes.find(type => type.provider === provider);
}

/** Fields of every configuration, which stand beside the provider's own. */
const general: ReadonlySet<string> = new Set([
  ...['accessMode', 'allowedPrincipalIds', 'annotations', 'created', 'creatorId', 'enabled', 'labels', 'name'],
  ...['ownerReferences', 'removed', 'status', 'type', 'uuid', 'logoutAllSupported'],
]);

/** The provider's own fields among those given: what is shown, and what is not. */
export function splitFields(type: ConfigType, given: Readonly<Record<string, unknown>>) {
  const settings: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const value = given[name];
    if (general.has(name) || value === undefined) continue;
    if (field.type !== 'password') settings[name] = value;
    // An empty one is what clients send who were not shown it: the one that is there stays.
    else if (typeof value === 'string' && value !== '') secrets[name] = value;
  }
  return { settings, secrets };
}
