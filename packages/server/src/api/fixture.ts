/**
 * For tests: the v3 API behind the real front with TLS on a free port, over a store in memory, with the built-in roles and
 * an admin. No controllers run, so what is created stays as it was written.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { silentLog, unavailable } from '@drover/base';
import { ensureCa, issueCert } from '@drover/engine';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import { bootstrapAdmin, createUser, issueToken, openAuth } from '../auth/index.ts';
import { ensureBuiltinRoles } from '../builtin-roles.ts';
import { ClusterClients } from '../clusters/clients.ts';
import { ensureFeatures } from '../features.ts';
import { ensureWorkspaces } from '../fleet-workspaces.ts';
import { baseUrl } from '../http/base-url.ts';
import { Front } from '../http/front.ts';
import { healthRoutes } from '../http/health.ts';
import { homeRoute } from '../http/home.ts';
import { ensureKontainerDrivers } from '../kontainer-drivers.ts';
import { kubeApiRoutes } from '../kubeapi/route.ts';
import { ensureNodeDrivers } from '../node-drivers.ts';
import type { OutboundOptions } from '../outbound/route.ts';
import { ensureTemplates } from '../pod-security-templates.ts';
import { type Caches, createCaches, Resources, startCaches } from '../resources/index.ts';
import { Settings } from '../settings.ts';
import type { ApiDeps } from './behaviour.ts';
import { apiRoutes } from './routes.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
  readonly body: any;
}

export interface Ask {
  /** A bearer token; the admin's by default, none if empty. */
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly ca: string;
  readonly deps: ApiDeps;
  readonly caches: Caches;
  readonly resources: Resources;
  readonly settings: Settings;
  readonly admin: string;
  readonly adminId: string;
  ask(method: string, path: string, more?: Ask): Promise<Answer>;
  /** Asks for an answer of that status, and gives its body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
  want(status: number, method: string, path: string, more?: Ask): Promise<any>;
  /** A standard user, and a token of his. */
  makeUser(username: string): Promise<{ readonly id: string; readonly token: string }>;
}

export interface TestApiOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly upstreams?: ApiDeps['upstreams'];
  readonly outbound?: OutboundOptions;
  /** Whether it answers as plain Kubernetes API, too, below `/k8s/clusters/local`. */
  readonly kubeApi?: boolean;
}

const noUpstreams: ApiDeps['upstreams'] = {
  get: () => {
    throw unavailable('the cluster has no agent here');
  },
  connection: () => {
    throw unavailable('the cluster has no agent here');
  },
  subscribe: () => undefined,
};

export async function openTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-api-'));
  const ca = await ensureCa(dir, 'ca', 'test-api');
  const pair = await issueCert(ca, {
    commonName: 'api',
    dnsNames: ['localhost'],
    ips: ['127.0.0.1'],
    usages: ['server'],
  });
  const store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  await startCaches(caches, stop.signal);
  const settings = new Settings(resources, caches, options.env ?? {});
  settings.fix('cacerts', ca.cert.trim());
  await settings.init({});
  await ensureBuiltinRoles(resources, caches);
  await ensureFeatures(resources, caches);
  await ensureTemplates(resources, caches);
  await ensureNodeDrivers(resources, caches);
  await ensureKontainerDrivers(resources, caches);
  await ensureWorkspaces({ resources, caches, settings });
  const base = { resources, caches, settings };
  const auth = openAuth(base, { baseUrl, log: silentLog, signal: stop.signal });
  const upstreams = options.upstreams ?? noUpstreams;
  const clients = new ClusterClients(upstreams, stop.signal);
  const deps: ApiDeps = { ...base, auth, upstreams, clients, log: silentLog };
  const front = new Front({
    listen: { host: '127.0.0.1', port: 0 },
    tls: { cert: pair.cert, key: pair.key },
    authenticate: auth.authenticate,
    log: silentLog,
    routes: [
      ...healthRoutes({ store: async () => void (await store.revision()) }, settings.get('server-version')),
      ...auth.routes,
      ...apiRoutes(deps, baseUrl, { outbound: options.outbound }),
      ...(options.kubeApi ? kubeApiRoutes({ deps, baseUrl, serverVersion: 'v0.0.0', through: [] }) : []),
      homeRoute(baseUrl),
    ],
  });
  await front.listen();
  const admin = await bootstrapAdmin(base);
  const tokenOf = async (userId: string) => (await issueToken(base, { userId, kind: 'session' })).bearer.reveal();
  const adminToken = await tokenOf(admin!.userId);
  const url = `https://localhost:${front.port}`;
  const agent = new Agent({ ca: ca.cert, keepAlive: true });

  const ask: TestApi['ask'] = async (method, path, { as = adminToken, body, headers = {} } = {}) => {
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request({
        host: 'localhost',
        port: front.port,
        // As it is, without a URL's normalising.
        path,
        method,
        agent,
        headers: {
          ...(as ? { authorization: `Bearer ${as}` } : {}),
          ...(sent === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
          ...headers,
        },
      });
      call.once('response', resolve).once('error', reject).end(sent);
    });
    const text = await readText(answer);
    const isJson = String(answer.headers['content-type']).includes('json') && !answer.headers['content-encoding'];
    return { status: answer.statusCode!, headers: answer.headers, body: isJson && text ? JSON.parse(text) : text };
  };
  return {
    url,
    port: front.port,
    ca: ca.cert,
    deps,
    caches,
    resources,
    settings,
    admin: adminToken,
    adminId: admin!.userId,
    ask,
    async want(status, method, path, more) {
      const answer = await ask(method, path, more);
      if (answer.status === status) return answer.body;
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    },
    async makeUser(username) {
      const user = await createUser(base, { username, password: 'a password long enough' });
      return { id: user.metadata.name, token: await tokenOf(user.metadata.name) };
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await front[Symbol.asyncDispose]();
      stop.abort();
      await store[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
