/**
 * From a kubeconfig's context to a Connection: the cluster's address and trust, the user's credentials, with files read
 * and checked now, so that what is wrong is told before anything is dialled.
 */
import { readFile } from 'node:fs/promises';
import { badRequest, invalid, Secret } from '@drover/base';
import type { Connection } from '../connection.ts';
import { parseServer } from '../dial.ts';
import { parseProxyUrl, proxyFromEnvironment } from '../proxy.ts';
import { execCredentials } from './exec-credential.ts';
import {
  type ClusterEntry,
  type ContextEntry,
  type Kubeconfig,
  type Named,
  resolveFrom,
  sourceOf,
  type UserEntry,
} from './kubeconfig.ts';
import { tokenFile } from './token-file.ts';

export interface ConnectOptions {
  /** Name of a context; absent: the current one. */
  readonly context?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether exec plugins may ask somebody at the terminal. */
  readonly interactive?: boolean;
}

/** The context asked for. Throws Invalid naming the file and the contexts there are. */
export function findContext(config: Kubeconfig, name?: string): Named<ContextEntry> {
  const wanted = name ?? config.currentContext;
  const there = config.contexts.map(context => context.name);
  const choice = there.length > 0 ? `choose one of ${there.join(', ')}` : 'it has no contexts';
  if (wanted === undefined) throw invalid('current-context', `is not set in ${sourceOf(config)}: ${choice}`);
  const found = config.contexts.find(context => context.name === wanted);
  if (!found) throw invalid('context', `"${wanted}" is not in ${sourceOf(config)}: ${choice}`);
  return found;
}

/** How to reach the cluster of a context as its user. Throws Invalid naming file, entry, field and what would be right. */
export async function toConnection(config: Kubeconfig, options: ConnectOptions = {}): Promise<Connection> {
  const context = findContext(config, options.context);
  const cluster = lookUp(config, config.clusters, context, 'cluster');
  const user = lookUp(config, config.users, context, 'user');
  return {
    ...(await clusterPart(cluster, options)),
    ...(await userPart(user, cluster, options)),
  };
}

function lookUp<T>(
  config: Kubeconfig,
  all: readonly Named<T>[],
  context: Named<ContextEntry>,
  what: 'cluster' | 'user',
) {
  const at = `${context.path ?? sourceOf(config)}: context "${context.name}"`;
  const name = context.value[what];
  if (!name) throw invalid(`${at}: ${what}`, `must be the name of a ${what}`);
  const found = all.find(one => one.name === name);
  if (!found) {
    const there = all.map(one => one.name).join(', ') || 'none';
    throw invalid(`${at}: ${what}`, `there is no ${what} "${name}"; there is ${there}`);
  }
  return found;
}

async function clusterPart(cluster: Named<ClusterEntry>, { env }: ConnectOptions): Promise<Connection> {
  const at = `${cluster.path ?? 'kubeconfig'}: cluster "${cluster.name}"`;
  const { server = '', 'insecure-skip-tls-verify': insecure, 'tls-server-name': serverName } = cluster.value;
  const url = inField(`${at}: server`, () => parseServer(server));
  const ca = await dataOrFile(cluster, 'certificate-authority', at);
  if (ca && insecure) {
    throw invalid(`${at}: insecure-skip-tls-verify`, 'must not be set where a certificate authority is given');
  }
  if (ca && !ca.includes('-----BEGIN')) throw invalid(`${at}: certificate-authority`, 'must be a certificate in PEM');
  const proxyUrl = cluster.value['proxy-url'] || proxyFromEnvironment(url, env);
  if (proxyUrl) inField(`${at}: proxy-url`, () => parseProxyUrl(proxyUrl));
  return { server, ca, insecureSkipTlsVerify: insecure, serverName, proxyUrl };
}

async function userPart(
  user: Named<UserEntry>,
  cluster: Named<ClusterEntry>,
  options: ConnectOptions,
): Promise<Partial<Connection>> {
  const { value } = user;
  const at = `${user.path ?? 'kubeconfig'}: user "${user.name}"`;
  if (value['auth-provider']) {
    throw invalid(`${at}: auth-provider`, 'is gone from Kubernetes since 1.26; use an exec plugin instead');
  }
  const clientCert = await dataOrFile(user, 'client-certificate', at);
  const clientKey = await dataOrFile(user, 'client-key', at);
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    const lacking = clientCert ? 'client-key' : 'client-certificate';
    throw invalid(`${at}: ${lacking}`, 'is missing: a client certificate needs both certificate and key');
  }
  const { username, password, as } = value;
  return {
    ...(clientCert && clientKey ? { clientCert, clientKey: new Secret(clientKey) } : {}),
    ...(value.exec ? execPart(user, value.exec, { cluster, at, ...options }) : {}),
    ...(await tokenPart(user)),
    ...(username ? { username, password: new Secret(password ?? '') } : {}),
    ...(as ? { impersonate: impersonation(as, value) } : {}),
  };
}

async function tokenPart(user: Named<UserEntry>): Promise<Partial<Connection>> {
  const { token, tokenFile: file } = user.value;
  if (file) {
    const source = tokenFile(resolveFrom(user, file));
    await source();
    return { token: source };
  }
  return token ? { token: new Secret(token) } : {};
}

function execPart(
  user: Named<UserEntry>,
  exec: NonNullable<UserEntry['exec']>,
  { cluster, at, env, interactive }: ConnectOptions & { cluster: Named<ClusterEntry>; at: string },
): Partial<Connection> {
  const command = exec.command?.includes('/') ? resolveFrom(user, exec.command) : exec.command;
  const { server, 'certificate-authority-data': ca, 'tls-server-name': name, 'proxy-url': proxy } = cluster.value;
  const { 'insecure-skip-tls-verify': insecure, extensions } = cluster.value;
  const plugin = execCredentials(
    { ...exec, command },
    {
      source: at,
      env,
      interactive,
      cluster: {
        server,
        'tls-server-name': name,
        'insecure-skip-tls-verify': insecure,
        'certificate-authority-data': ca,
        'proxy-url': proxy,
        config: extensions?.find(one => one.name === 'client.authentication.k8s.io/exec')?.extension,
      },
    },
  );
  return {
    token: async asked => (await plugin.get(asked)).token,
    clientIdentity: async () => (await plugin.get()).identity,
  };
}

function impersonation(user: string, value: UserEntry): NonNullable<Connection['impersonate']> {
  return { user, uid: value['as-uid'], groups: value['as-groups'], extra: value['as-user-extra'] };
}

/** A field's embedded data, else its file's content; data wins as in kubectl. */
async function dataOrFile<F extends string>(
  entry: Named<{ readonly [K in F | `${F}-data`]?: unknown }>,
  field: F,
  at: string,
): Promise<string | undefined> {
  const data = entry.value[`${field}-data`];
  if (typeof data === 'string' && data !== '') {
    if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(data)) throw invalid(`${at}: ${field}-data`, 'must be base64');
    return Buffer.from(data, 'base64').toString('utf8');
  }
  const file = entry.value[field];
  if (typeof file !== 'string' || file === '') return undefined;
  const path = resolveFrom(entry, file);
  return readFile(path, 'utf8').catch(cause => {
    throw badRequest(`${at}: ${field}: can't read the file ${path}`, cause);
  });
}

/** What the checker says, with the place in the file before it. */
function inField<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw invalid(field, error instanceof Error ? error.message.replace(/^[\w-]+: /, '') : String(error));
  }
}
