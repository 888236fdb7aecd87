/** For tests: sign-in and access over a store in memory, with settings to set and a wall clock to move. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TypeId } from '@drover/api';
import { silentLog } from '@drover/base';
import { openSqliteStore, type Store } from '@drover/store';
import type { AddressOf } from '../http/client-address.ts';
import type { Caller } from '../http/exchange.ts';
import {
  type Caches,
  createCaches,
  type ResourceCache,
  Resources,
  type SecretCodec,
  startCaches,
} from '../resources/index.ts';
import { type Auth, openAuth } from './index.ts';
import type { UsersDeps } from './users.ts';

export interface Fixture extends AsyncDisposable {
  readonly store: Store;
  readonly resources: Resources;
  readonly caches: Caches;
  readonly values: Map<string, string>;
  readonly auth: Auth;
  readonly deps: UsersDeps;
  readonly signal: AbortSignal;
  /** Moves the wall clock, in ms. */
  readonly move: (ms: number) => void;
  /** A second server on the same store, with caches of its own. */
  readonly replica: () => Promise<Omit<Fixture, keyof AsyncDisposable>>;
}

export async function openFixture({ addressOf }: { readonly addressOf?: AddressOf } = {}): Promise<Fixture> {
  const store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  const values = new Map<string, string>();
  const key = randomBytes(32);
  const clock = { offsetMs: 0 };
  const open = async () => {
    const resources = new Resources(store, sealWith(key));
    const caches = createCaches(resources, silentLog);
    resources.onWrite = (id, resource, gone) => (caches[id] as ResourceCache<TypeId>).observe(resource, gone);
    await startCaches(caches, stop.signal);
    const settings = {
      get: (name: string) => values.get(name) ?? '',
      set: async (name: string, value: string) => void values.set(name, value),
    };
    const base = { resources, caches, settings, now: () => Date.now() + clock.offsetMs };
    const auth = openAuth(base, {
      baseUrl: () => 'https://drover.test',
      addressOf,
      log: silentLog,
      signal: stop.signal,
    });
    const deps: UsersDeps = { ...base, access: auth.access };
    return { store, resources, caches, values, auth, deps, signal: stop.signal };
  };
  const first = await open();
  const move = (ms: number) => {
    clock.offsetMs += ms;
  };
  const fixture = {
    ...first,
    move,
    replica: async () => ({ ...(await open()), move, replica: fixture.replica }),
  } as Fixture;
  return Object.assign(fixture, {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await store[Symbol.asyncDispose]();
    },
  });
}

function sealWith(key: Buffer): SecretCodec {
  return {
    encrypt(value) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    decrypt(text) {
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

export function requestOf(headers: Readonly<Record<string, string>>): IncomingMessage {
  return { headers: { host: 'drover.test', ...headers } } as unknown as IncomingMessage;
}

export function callerOf(userId: string, more: Partial<Caller> = {}): Caller {
  return {
    userId,
    username: userId,
    groups: ['system:authenticated', 'system:cattle:authenticated'],
    extra: { principalid: [`local://${userId}`] },
    tokenId: `token-${userId}`,
    via: 'bearer',
    ...more,
  };
}

export const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };

/** The roles that the tests bind: the builtin ones that matter here, in short. */
export async function seedRoles({ resources }: Pick<Fixture, 'resources'>): Promise<void> {
  const group = ['management.cattle.io'];
  const globalRole = (name: string, rules: object[], more: object = {}) =>
    resources.create('globalRole', {
      metadata: { name },
      displayName: name,
      builtin: true,
      newUserDefault: false,
      rules,
      ...more,
    });
  const template = (name: string, fields: object) =>
    resources.create('roleTemplate', {
      metadata: { name },
      displayName: name,
      clusterCreatorDefault: false,
      projectCreatorDefault: false,
      ...fields,
    });
  await globalRole('admin', [everything, { nonResourceURLs: ['*'], verbs: ['*'] }]);
  await globalRole('user', [
    { apiGroups: group, resources: ['clusters'], verbs: ['create'] },
    { apiGroups: group, resources: ['roletemplates', 'settings'], verbs: ['get', 'list', 'watch'] },
  ]);
  await globalRole('users-manage', [{ apiGroups: group, resources: ['users', 'globalrolebindings'], verbs: ['*'] }]);
  await template('cluster-owner', {
    builtin: true,
    context: 'cluster',
    rules: [
      everything,
      { nonResourceURLs: ['*'], verbs: ['*'] },
      { apiGroups: group, resources: ['clusters'], verbs: ['own'] },
    ],
  });
  await template('cluster-member', {
    builtin: true,
    context: 'cluster',
    rules: [
      { apiGroups: group, resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: group, resources: ['clusterroletemplatebindings'], verbs: ['get', 'list', 'watch'] },
    ],
  });
  await template('clusterroletemplatebindings-manage', {
    builtin: true,
    context: 'cluster',
    rules: [{ apiGroups: group, resources: ['clusterroletemplatebindings'], verbs: ['*'] }],
  });
  await template('admin', { builtin: true, context: 'project', external: true });
  await template('project-owner', {
    builtin: true,
    context: 'project',
    roleTemplateNames: ['admin'],
    rules: [{ apiGroups: group, resources: ['projectroletemplatebindings'], verbs: ['*'] }],
  });
}

/** Binds the role in the cluster to the user, or the whole subject given. */
export function bindInCluster(
  { resources }: Pick<Fixture, 'resources'>,
  clusterId: string,
  roleTemplateName: string,
  subject: string | Record<string, string>,
) {
  return resources.create('clusterRoleTemplateBinding', {
    metadata: { namespace: clusterId },
    clusterName: clusterId,
    roleTemplateName,
    ...(typeof subject === 'string' ? { userName: subject } : subject),
  });
}
