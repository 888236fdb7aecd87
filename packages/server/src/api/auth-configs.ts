/**
 * Configurations of sign-in providers in v3: one resource for each provider there is, whether or not it was ever configured,
 * shown as its own type. A provider is switched on by who has signed in with it: what can't be tested is not enabled.
 */
import { type SchemaFields, type TypeDeclaration, toV3, types, type V3Data } from '@drover/api';
import { invalid, notFound, StatusError } from '@drover/base';
import {
  admitIdentity,
  allowedAsWritten,
  configStructs,
  configTypeOf,
  configTypes,
  configWith,
  disableConfig,
  enableConfig,
  findConfigured,
  type Identity,
  type PasswordProvider,
  type ProviderConfig,
  readConfig,
  saveConfig,
} from '../auth-providers/index.ts';
import { refusal } from '../explain/refusal.ts';
import type { ApiRequest, ApiView, Behaviour, ResourceAction, ServedType } from './behaviour.ts';
import { depsOf } from './tokens.ts';

const local: V3Data = { id: 'local', name: 'local', type: 'localConfig', baseType: 'authConfig', enabled: true };

const may = (request: ApiView, verb: string, name: string) =>
  request.deps.auth.access.may(request.caller, verb, 'authConfig', { name });

function show(request: ApiView, name: string): V3Data {
  const type = configTypeOf(name)!;
  const stored = request.deps.caches.authConfig.get(name);
  const own = { ...stored?.settings };
  const fields = Object.entries(type.fields).filter(([, field]) => field.type !== 'password');
  const values = fields.map(([field, { default: fallback = null }]) => [field, own[field] ?? fallback]);
  const {
    settings: _,
    secretSettings: __,
    configType: ___,
    ...general
  } = stored ? toV3(types.authConfig, stored) : ({} as V3Data);
  return {
    ...Object.fromEntries(values),
    accessMode: 'unrestricted',
    allowedPrincipalIds: [],
    enabled: false,
    ...general,
    id: name,
    name,
    type: type.id,
    baseType: 'authConfig',
  };
}

function getVisible(request: ApiView, id: string): V3Data {
  const there = id === 'local' || configTypeOf(id) !== undefined;
  if (!there || !(may(request, 'get', id) || may(request, 'list', id))) throw notFound('authConfig', id);
  return id === 'local' ? local : show(request, id);
}

function requireMayUpdate(request: ApiView, name: string): void {
  if (!may(request, 'update', name))
    throw refusal({ caches: request.deps.caches, access: request.deps.auth.access }, request.caller, {
      text: `you may not change authConfig "${name}"`,
      wanted: { verb: 'update', type: 'authConfig', place: { name } },
    });
}

/** Changes it; switching it on this way takes a provider that answers, since nobody has signed in with it. */
async function update(request: ApiRequest, id: string, input: V3Data): Promise<V3Data> {
  getVisible(request, id);
  requireMayUpdate(request, id);
  const { caches } = request.deps;
  const wanted = configWith(caches, id, input);
  const enabled = typeof input['enabled'] === 'boolean' ? input['enabled'] : wanted.enabled;
  if (enabled && !readConfig(caches, id)?.enabled) await findConfigured(id)!.tryOut(wanted);
  const before = readConfig(caches, id)?.allowedPrincipalIds ?? [];
  await saveConfig(depsOf(request), { ...(await allowedAsWritten(wanted, before)), enabled });
  if (!enabled) await disableConfig(depsOf(request), id);
  return show(request, id);
}

const nameOf = (data: unknown): string => String((data as V3Data)['id']);
const isNotLocal = (request: ApiView, data: unknown) =>
  nameOf(data) !== 'local' && may(request, 'update', nameOf(data));
const has = (action: string) => (request: ApiView, data: unknown) =>
  isNotLocal(request, data) && configTypeOf(nameOf(data))!.actions[action] !== undefined;

/** The configuration in an action's input, under whichever name the provider's clients send it. */
function configIn(input: V3Data): Readonly<Record<string, unknown>> {
  const found = ['githubConfig', 'oidcConfig', 'googleOauthConfig', 'activeDirectoryConfig', 'ldapConfig', 'config']
    .map(name => input[name])
    .find(Boolean);
  const config = found ?? input;
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw invalid('config', 'must be an object', 'InvalidBodyContent');
  return config as Record<string, unknown>;
}

/** What the page shows that the test came back to; providers that name themselves (RFC 9207) are named again. */
async function testCode({ deps, exchange }: ApiRequest, config: ProviderConfig, input: V3Data): Promise<Identity> {
  const [code = '', shownState = '', iss = ''] = String(input['code'] ?? '')
    .trim()
    .split(/\s+/);
  await findConfigured(config.name)!.tryOut(config);
  const state = String(input['state'] ?? shownState);
  const query = new URLSearchParams({ code, state, ...(iss ? { iss } : {}) });
  return (await deps.auth.redirect.finish(exchange, { query, state, config, provider: config.name })).identity;
}

async function testPassword(provider: PasswordProvider, config: ProviderConfig, input: V3Data): Promise<Identity> {
  const [username, password] = ['username', 'password'].map(name => {
    const value = input[name];
    if (typeof value !== 'string' || value === '' || value.length > 2048)
      throw invalid(
        name,
        'must be that of somebody in the directory: it is on once he could sign in',
        'MissingRequired',
      );
    return value;
  });
  await provider.tryOut(config);
  return provider.signIn(config, { username: username!, password: password! }).catch(error => {
    // Not as 401, which would be about the session of who tests.
    if (error instanceof StatusError && error.status === 401)
      throw invalid('password', 'the directory knows nobody by this username and password', 'InvalidFormat');
    throw error;
  });
}

const actions: Readonly<Record<string, ResourceAction<unknown>>> = {
  disable: {
    offered: (request, data) => isNotLocal(request, data) && (data as V3Data)['enabled'] === true,
    async run(request, data) {
      await disableConfig(depsOf(request), nameOf(data));
      return undefined;
    },
  },
  configureTest: {
    offered: has('configureTest'),
    async run(request, data, input) {
      const config = configWith(request.deps.caches, nameOf(data), configIn(input));
      const redirectUrl = await request.deps.auth.redirect.begin(request.exchange, config, {
        returnTo: '/',
        test: true,
      });
      return { type: configTypeOf(config.name)!.actions['configureTest']!.output, redirectUrl };
    },
  },
  testAndApply: {
    offered: has('testAndApply'),
    async run(request, data, input) {
      const config = configWith(request.deps.caches, nameOf(data), configIn(input));
      const provider = findConfigured(config.name)!;
      const identity = await (provider.kind === 'password'
        ? testPassword(provider, config, input)
        : testCode(request, config, input));
      const written = await allowedAsWritten(config, []);
      const on = await enableConfig(depsOf(request), written, { userId: request.caller.userId, identity });
      await admitIdentity(depsOf(request), on, identity);
      if (input['enabled'] === false) await saveConfig(depsOf(request), { ...on, enabled: false });
      return undefined;
    },
  },
  testAndEnable: {
    offered: has('testAndEnable'),
    async run(request, data, input) {
      const config = configWith(request.deps.caches, nameOf(data), {});
      const returnTo = String(input['finalRedirectUrl'] ?? '/');
      const purpose = { returnTo, enableFor: request.caller.userId };
      const idpRedirectUrl = await request.deps.auth.redirect.begin(request.exchange, config, purpose);
      return { type: 'samlConfigTestOutput', idpRedirectUrl };
    },
  },
};

const mayUpdate = (request: ApiView, data: unknown) => may(request, 'update', nameOf(data));

/** Whatever collection it was found in, it is changed as its own type. */
const links: Behaviour<unknown>['links'] = (request, { update: _, ...given }, data) => {
  const type = configTypeOf(nameOf(data));
  if (!type) return given;
  const self = `${request.base}/v3/${type.pluralName.toLowerCase()}/${nameOf(data)}`;
  return { ...given, self, ...(mayUpdate(request, data) ? { update: self } : {}) };
};

const shared = { actions, links, mayUpdate } as const;

const authConfigs: Behaviour<unknown> = {
  ...shared,
  source: {
    list: request =>
      ['local', ...configTypes.map(type => type.provider)]
        .filter(name => may(request, 'list', name) || may(request, 'get', name))
        .map(name => (name === 'local' ? local : show(request, name))),
    get: getVisible,
  },
};

/** Each provider's own type leads to the one resource that it has. */
const ofType = (provider: string): Behaviour<unknown> => ({
  ...shared,
  source: {
    list: () => [],
    get(request, id) {
      if (id !== provider) throw notFound('authConfig', id);
      return getVisible(request, id);
    },
    update(request, id, input) {
      if (id !== provider) throw notFound('authConfig', id);
      return update(request, id, input);
    },
  },
});

const declare = (
  id: string,
  pluralName: string,
  fields: SchemaFields,
  methods: TypeDeclaration['v3'],
): TypeDeclaration => ({
  ...(types.authConfig as TypeDeclaration),
  id,
  pluralName,
  schema: { fields, structs: configStructs },
  v3: methods,
});

const everyAction = Object.fromEntries(Object.keys(actions).map(name => [name, {}]));
const baseFields = Object.fromEntries(
  ['accessMode', 'allowedPrincipalIds', 'annotations', 'created', 'enabled', 'labels', 'name', 'type', 'uuid'].map(
    name => [name, configTypes[0]!.fields[name]!],
  ),
);

export const authConfigTypes: readonly ServedType[] = [
  {
    declaration: declare('authConfig', 'authConfigs', baseFields, {
      collectionMethods: ['GET'],
      resourceMethods: ['GET'],
      resourceActions: everyAction,
    }),
    behaviour: authConfigs as ServedType['behaviour'],
  },
  ...configTypes.map(({ id, pluralName, provider, fields, actions: own }) => ({
    declaration: declare(id, pluralName, fields, {
      collectionMethods: [],
      resourceMethods: ['GET', 'PUT'] as const,
      resourceActions: own,
    }),
    behaviour: ofType(provider) as ServedType['behaviour'],
  })),
];
