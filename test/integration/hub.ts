/**
 * A whole server as far as the path to clusters goes, in this process: store in memory, sign-in, tunnels, proxy and
 * controllers behind the real front with TLS. With users that are admin, member and stranger.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TypeId } from '@drover/api';
import { createLog, type Log, type Secret, until } from '@drover/base';
import { type CertPair, ensureCa, issueCert } from '@drover/engine';
import { formatKubeconfig, KubeClient, writeKubeconfig } from '@drover/kube';
import {
  type Auth,
  type Caches,
  type Clusters,
  createCaches,
  createUser,
  ensureBuiltinRoles,
  Front,
  issueToken,
  openAuth,
  openClusters,
  openRemovals,
  openServerIdentity,
  type ResourceCache,
  Resources,
  startCaches,
  startClusterControllers,
  tokenSecretName,
} from '@drover/server';
import { FieldCipher, newSecretsKey, openSqliteStore, type Store } from '@drover/store';
import { type Child, startChild } from './child.ts';

export interface Hub extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly ca: CertPair;
  readonly dir: string;
  readonly store: Store;
  readonly cipher: FieldCipher;
  readonly resources: Resources;
  readonly caches: Caches;
  readonly clusters: Clusters;
  /** The key by which agents know it again. */
  readonly serverKey: string;
  readonly auth: Auth;
  readonly settings: Map<string, string>;
  /** Makes a user; gives his bearer token. `admin` may do everything everywhere. */
  makeUser(
    name: string,
    role?: 'admin',
  ): Promise<{ readonly id: string; readonly bearer: Secret; readonly tokenId: string }>;
  grant(clusterId: string, userId: string, roleTemplate: string): Promise<void>;
  /** Makes a cluster to be imported; gives its id and registration token. */
  makeCluster(name: string): Promise<{ readonly id: string; readonly token: string }>;
  /** A client that reaches the cluster through the proxy. */
  client(clusterId: string, bearer: Secret): KubeClient;
  /** A kubeconfig for that, as a file. */
  kubeconfig(clusterId: string, bearer: Secret): Promise<string>;
}

export interface HubOptions {
  readonly log?: Log;
  /** All roles that a server begins with, in place of the few that most tests need. */
  readonly builtinRoles?: boolean;
  /** Another server that this one shares store and keys with, as replicas and restarts do. */
  readonly beside?: Hub;
  /** How soon grants that somebody edited in a cluster are put right. */
  readonly repairEveryMs?: number;
}

export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const log = options.log ?? createLog({ level: process.env['DROVER_LOG_LEVEL'] ?? 'silent' });
  const dir = await mkdtemp(join(tmpdir(), 'drover-hub-'));
  const ca = await ensureCa(dir, 'ca', 'test-hub');
  const pair = await issueCert(ca, {
    commonName: 'hub',
    dnsNames: ['localhost'],
    ips: ['127.0.0.1'],
    usages: ['server'],
  });
  const { beside } = options;
  const store = beside?.store ?? (await openSqliteStore({ path: ':memory:' }));
  const stop = new AbortController();
  const cipher = beside?.cipher ?? new FieldCipher([newSecretsKey()]);
  const resources = new Resources(store, cipher);
  const caches = createCaches(resources, log);
  resources.onWrite = (id, resource, gone) => (caches[id] as ResourceCache<TypeId>).observe(resource, gone);
  await startCaches(caches, stop.signal);
  const settings = new Map([
    ['cacerts', ca.cert],
    ['agent-image', 'drover/agent:test'],
  ]);
  const setting = (name: string) => settings.get(name) ?? '';
  const deps = { resources, caches, settings: { get: setting } };
  const baseUrl = () => setting('server-url');
  const removals = await openRemovals({ store, resources, caches, log, signal: stop.signal });
  const auth = openAuth(deps, { baseUrl, log, removals, signal: stop.signal });
  const identity = await openServerIdentity(store, cipher);
  const clusters = openClusters({
    store,
    resources,
    caches,
    removals,
    auth,
    setting,
    baseUrl,
    identity,
    log,
    signal: stop.signal,
  });
  const front = new Front({
    listen: { host: '127.0.0.1', port: 0 },
    tls: pair,
    routes: [
      ...clusters.routes,
      {
        prefix: '/v3/settings/cacerts',
        signIn: 'none',
        errors: 'norman',
        handle: async ({ response }) => {
          response.end(JSON.stringify({ id: 'cacerts', value: ca.cert.trim() }));
        },
      },
    ],
    authenticate: auth.authenticate,
    log,
  });
  await front.listen();
  const url = `https://127.0.0.1:${front.port}`;
  settings.set('server-url', url);
  if (!beside) await (options.builtinRoles ? ensureBuiltinRoles(resources, caches) : seedRoles(resources));
  startClusterControllers(
    {
      store,
      resources,
      caches,
      removals,
      auth,
      setting,
      baseUrl,
      log,
      signal: stop.signal,
      repairEveryMs: options.repairEveryMs,
    },
    clusters,
    beside ? 'hub-2' : 'hub',
  );

  const connectionTo = (clusterId: string, bearer: Secret) => ({
    server: `${url}/k8s/clusters/${clusterId}`,
    ca: ca.cert,
    token: bearer,
  });
  return {
    url,
    port: front.port,
    ca,
    dir,
    store,
    cipher,
    resources,
    caches,
    clusters,
    serverKey: identity.publicKey,
    auth,
    settings,
    async makeUser(name, role) {
      const user = await createUser(deps, { username: name, password: `${name}-password-1234` });
      const id = user.metadata.name;
      const metadata = { generateName: 'grb-' };
      await resources.create('globalRoleBinding', { metadata, globalRoleName: role ?? 'user', userName: id });
      const { bearer, resource } = await issueToken(deps, { userId: id, kind: 'derived' });
      return { id, bearer, tokenId: resource.metadata.name };
    },
    async grant(clusterId, userId, roleTemplateName) {
      await resources.create('clusterRoleTemplateBinding', {
        metadata: { generateName: 'crtb-', namespace: clusterId },
        clusterName: clusterId,
        roleTemplateName,
        userName: userId,
      });
    },
    async makeCluster(name) {
      const cluster = await resources.create('cluster', {
        metadata: { generateName: 'c-' },
        spec: { displayName: name },
      });
      const id = cluster.metadata.name;
      const token = await until('the registration token', () => {
        return caches.secret.get(tokenSecretName('default-token'), id)?.stringData?.['token'];
      });
      return { id, token };
    },
    client: (clusterId, bearer) => new KubeClient(connectionTo(clusterId, bearer)),
    async kubeconfig(clusterId, bearer) {
      const path = join(dir, `kubeconfig-${clusterId}-${bearer.reveal().split(':')[0]}`);
      await writeKubeconfig(path, await formatKubeconfig({ name: 'hub', ...connectionTo(clusterId, bearer) }));
      return path;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await front[Symbol.asyncDispose]();
      await clusters[Symbol.asyncDispose]();
      if (!beside) await store[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Starts our agent as a process of its own, reaching the cluster by a kubeconfig. */
export function startAgent(
  hub: Hub,
  cluster: { readonly token: string; readonly kubeconfigPath: string; readonly args?: readonly string[] },
): Promise<Child> {
  const main = join(import.meta.dirname, '../../packages/agent/src/main.ts');
  const args = ['--server', hub.url, '--ca-file', join(hub.dir, 'ca.crt'), '--kubeconfig', cluster.kubeconfigPath];
  return startChild(process.execPath, [main, ...args, ...(cluster.args ?? [])], {
    logPath: join(hub.dir, 'agent.log'),
    env: { ...process.env, DROVER_TOKEN: cluster.token, DROVER_LOG_LEVEL: 'info' },
  });
}

const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };

/** The built-in roles that matter here, in short. */
async function seedRoles(resources: Resources): Promise<void> {
  const builtin = { builtin: true, newUserDefault: false };
  const own = { apiGroups: ['management.cattle.io'], resources: ['clusters'], verbs: ['own'] };
  const template = {
    builtin: true,
    context: 'cluster' as const,
    clusterCreatorDefault: false,
    projectCreatorDefault: false,
  };
  const nonResource = { nonResourceURLs: ['*'], verbs: ['*'] };
  await resources.create('globalRole', {
    metadata: { name: 'admin' },
    displayName: 'Admin',
    rules: [everything, nonResource],
    ...builtin,
  });
  await resources.create('globalRole', { metadata: { name: 'user' }, displayName: 'User', rules: [], ...builtin });
  await resources.create('roleTemplate', {
    metadata: { name: 'cluster-owner' },
    displayName: 'Owner',
    rules: [everything, nonResource, own],
    ...template,
  });
  await resources.create('roleTemplate', {
    metadata: { name: 'pods-view' },
    displayName: 'Sees pods',
    rules: [{ apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] }],
    ...template,
  });
}
