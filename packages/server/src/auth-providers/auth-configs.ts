/**
 * Configurations of sign-in providers in the store: read, changed, switched on and off. Off means off at once: tokens of the
 * provider are good for nothing from then on, and go; bindings stay for the day when it is on again.
 */
import type { TypedResource } from '@drover/api';
import { ignoreNotFound, invalid, notFound } from '@drover/base';
import type { AuthDeps } from '../auth/deps.ts';
import { revokeToken } from '../auth/tokens.ts';
import type { Caches } from '../resources/index.ts';
import { type ConfigType, configTypeOf, splitFields } from './config-types.ts';
import type { ProviderConfig } from './configured-provider.ts';
import { dropKept } from './external-users.ts';
import type { Identity } from './identity.ts';
import { findByPrincipal } from './lasting-ids.ts';
import { findConfigured } from './providers.ts';

type Stored = TypedResource<'authConfig'>;
type Fields = Readonly<Record<string, unknown>>;

/** As it is now; undefined where nobody has configured it. */
export function readConfig(caches: Caches, name: string): ProviderConfig | undefined {
  const stored = caches.authConfig.get(name);
  return stored && !stored.metadata.deletionTimestamp ? configOf(stored) : undefined;
}

function configOf({ metadata, ...stored }: Stored): ProviderConfig {
  return {
    name: metadata.name,
    enabled: stored.enabled === true,
    accessMode: (stored.accessMode as ProviderConfig['accessMode'] | undefined) ?? 'unrestricted',
    allowedPrincipalIds: stored.allowedPrincipalIds ?? [],
    fields: { ...stored.settings, ...stored.secretSettings },
    annotations: metadata.annotations ?? {},
  };
}

/** The configuration as it would be with what is given: what a test is made with. Throws Invalid where it can't be used. */
export function configWith(caches: Caches, name: string, given: Fields): ProviderConfig {
  const type = requireType(name);
  const seen = readConfig(caches, name);
  const { settings, secrets } = splitFields(type, given);
  const config: ProviderConfig = {
    name,
    enabled: seen?.enabled ?? false,
    accessMode: accessModeOf(given['accessMode'] ?? seen?.accessMode),
    allowedPrincipalIds: principalsOf(given['allowedPrincipalIds'] ?? seen?.allowedPrincipalIds),
    fields: { ...defaultsOf(type), ...seen?.fields, ...settings, ...secrets },
    annotations: { ...seen?.annotations, ...(given['annotations'] as Record<string, string> | undefined) },
  };
  findConfigured(name)!.check(config);
  return config;
}

/** Stores it; `enabled` as said, else as it was. */
export async function saveConfig(deps: AuthDeps, config: ProviderConfig): Promise<void> {
  const type = requireType(config.name);
  const { settings, secrets } = splitFields(type, config.fields);
  const { name, enabled, accessMode, allowedPrincipalIds, annotations } = config;
  const content = { configType: type.id, enabled, accessMode, allowedPrincipalIds, settings, secretSettings: secrets };
  await deps.resources.put('authConfig', { metadata: { name, annotations }, ...content }, seen => ({
    ...seen,
    ...content,
    metadata: { ...seen.metadata, annotations },
  }));
}

/** Switches it off, and ends what was signed in by it: first by the switch, then token by token. */
export async function disableConfig(deps: AuthDeps, name: string): Promise<void> {
  await ignoreNotFound(deps.resources.modify('authConfig', { name }, seen => ({ ...seen, enabled: false })));
  const tokens = [...deps.caches.token.all()].filter(token => token.authProvider === name);
  for (const { metadata } of tokens) await revokeToken(deps, metadata.name);
  const known = [...deps.caches.userAttribute.all()].filter(
    ({ groupPrincipals, lastingIds }) => (groupPrincipals?.[name] ?? lastingIds?.[name]) !== undefined,
  );
  for (const { metadata } of known) {
    await dropKept(deps, metadata.name, name);
    await ignoreNotFound(
      deps.resources.modify('userAttribute', { name: metadata.name }, seen => {
        const { [name]: _, ...groupPrincipals } = seen.groupPrincipals ?? {};
        // A directory that was built anew knows the same people by others: it is believed by their names again.
        const { [name]: __, ...lastingIds } = seen.lastingIds ?? {};
        return { ...seen, groupPrincipals, lastingIds };
      }),
    );
  }
}

/** Switches it on after it has worked for somebody, who keeps his way in: he is allowed, and his principal is his user's. */
export async function enableConfig(
  deps: AuthDeps,
  config: ProviderConfig,
  tester: { readonly userId: string; readonly identity: Identity },
): Promise<ProviderConfig> {
  const { id } = tester.identity.user;
  const holder = findByPrincipal(deps.caches, id);
  if (holder && holder.metadata.name !== tester.userId)
    throw invalid(
      'principal',
      'belongs to an account that another user of this server has signed in with',
      'NotUnique',
    );
  await deps.resources.modify('user', { name: tester.userId }, user => ({
    ...user,
    principalIds: [...new Set([...(user.principalIds ?? [`local://${tester.userId}`]), id])],
  }));
  const allowed =
    config.accessMode === 'unrestricted'
      ? config.allowedPrincipalIds
      : [...new Set([...config.allowedPrincipalIds, id])];
  const on = { ...config, enabled: true, allowedPrincipalIds: allowed };
  await saveConfig(deps, on);
  return on;
}

function requireType(name: string): ConfigType {
  const type = configTypeOf(name);
  if (!type) throw notFound('authConfig', name.slice(0, 64));
  return type;
}

function defaultsOf(type: ConfigType): Record<string, unknown> {
  const all = Object.entries(type.fields).filter(([, field]) => field.default !== undefined);
  return splitFields(type, Object.fromEntries(all.map(([name, field]) => [name, field.default]))).settings;
}

function accessModeOf(value: unknown): ProviderConfig['accessMode'] {
  if (value === undefined || value === null || value === '') return 'unrestricted';
  if (value === 'unrestricted' || value === 'restricted' || value === 'required') return value;
  throw invalid('accessMode', 'must be unrestricted, restricted or required', 'InvalidOption');
}

function principalsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const isPrincipal = (each: unknown): each is string =>
    typeof each === 'string' && /^[a-z]+(?:_[a-z]+)?:\/\/./.test(each);
  if (!Array.isArray(value) || value.length > 10_000 || !value.every(isPrincipal))
    throw invalid('allowedPrincipalIds', 'must be a list of principals such as github_user://1', 'InvalidFormat');
  return value;
}
