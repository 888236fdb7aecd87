/**
 * What `drover up` was told: flags first, then DROVER_* variables, then defaults. Everything is checked here, once, with
 * an error that names the flag and what would be right.
 */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { invalid, Secret } from '@drover/base';
import { defaultBundleDir } from '@drover/engine';
import { type AuditConfig, auditFlags, parseAudit } from './audit/audit-config.ts';
import { behindProxies } from './http/client-address.ts';

export type StoreChoice =
  | { readonly type: 'sqlite' }
  | {
      readonly type: 'etcd';
      readonly endpoints: readonly string[];
      readonly username?: string;
      readonly password?: Secret;
    };

export type ClusterChoice =
  | { readonly type: 'auto' | 'local' | 'control-plane' | 'none' }
  | { readonly type: 'context'; readonly context: string };

export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  readonly serverUrl?: string;
  /** How other replicas on the same etcd reach this one; its port is listened on for them. */
  readonly peerUrl?: string;
  readonly dataDir: string;
  readonly store: StoreChoice;
  /** Copies the store there instead of serving. */
  readonly copyTo?: StoreChoice;
  readonly etcdTls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly tls: { readonly cert?: string; readonly key?: string };
  readonly bootstrapPassword?: Secret;
  readonly secretsKeyFile: string;
  readonly cluster: ClusterChoice;
  readonly kubeBinDir?: string;
  /** Where bundles for hosts are looked for. */
  readonly bundleDirs: readonly string[];
  readonly agentImages: string;
  /** How long running requests may take to end once the server is told to stop, in ms. */
  readonly drainMs: number;
  /** Proxies whose word on their clients' addresses is taken: addresses and CIDRs. */
  readonly trustedProxies: readonly string[];
  readonly audit?: AuditConfig;
}

interface Flag {
  readonly name: string;
  readonly value: string;
  readonly help: string;
}

const flags: readonly Flag[] = [
  {
    name: 'listen',
    value: 'HOST:PORT',
    help: 'where to serve (default localhost:8443; 0.0.0.0:8443 lets other machines in)',
  },
  { name: 'server-url', value: 'URL', help: 'how agents and people reach this server (default: from --listen)' },
  {
    name: 'peer-url',
    value: 'https://HOST:PORT',
    help: 'how other servers on the same etcd reach this one (default: the host of --listen, any free port)',
  },
  { name: 'data-dir', value: 'DIR', help: 'where everything is kept (default ~/.local/share/drover)' },
  {
    name: 'store',
    value: 'sqlite|etcd://HOST:PORT,…',
    help: 'the store: a file in the data directory, or etcd (etcds:// for TLS)',
  },
  {
    name: 'copy-to',
    value: 'sqlite|etcd://HOST:PORT,…',
    help: 'copy everything from --store into this empty store, and end (no server may use either)',
  },
  { name: 'etcd-ca', value: 'FILE', help: 'CA that signed etcd, with etcds://' },
  { name: 'etcd-cert', value: 'FILE', help: 'client certificate for etcd' },
  { name: 'etcd-key', value: 'FILE', help: 'its key' },
  { name: 'tls-cert', value: 'FILE', help: 'serve this certificate (PEM, with its chain) instead of our own' },
  { name: 'tls-key', value: 'FILE', help: 'its key' },
  {
    name: 'bootstrap-password',
    value: 'PASSWORD',
    help: "the first admin's password (default: a random one, printed once)",
  },
  {
    name: 'secrets-key-file',
    value: 'FILE',
    help: 'keys that encrypt secrets at rest (default: secrets.key in the data directory)',
  },
  {
    name: 'cluster',
    value: 'WHICH',
    help: 'the cluster to manage from the start: auto, local, control-plane (local without a node), none or context:NAME (default auto)',
  },
  {
    name: 'bundle',
    value: 'DIR,…',
    help: 'bundles for clusters on hosts, or folders of them (default: bundles in the data directory, and those of drover bundle build)',
  },
  {
    name: 'agent-images',
    value: 'DIR',
    help: 'the agent as hosts get it: where drover image build agent put it (default dist/images)',
  },
  { name: 'kube-bin-dir', value: 'DIR', help: "directory with the local cluster's binaries" },
  { name: 'drain-seconds', value: 'N', help: 'how long running requests may take to end at a stop (default 10)' },
  {
    name: 'trusted-proxies',
    value: 'CIDR,…',
    help: "proxies in front whose X-Forwarded-For names the client (default: none, and nobody's counts)",
  },
  ...auditFlags,
];

export const usage = `Usage: drover up [flags]

Starts the server and, unless told otherwise, a Kubernetes cluster to manage.

Flags (each also as a variable, e.g. DROVER_DATA_DIR):
${flags.map(flag => `  --${`${flag.name} ${flag.value}`.padEnd(38)} ${flag.help}`).join('\n')}
`;

/** Parses and checks; throws Invalid naming the flag. `undefined` when help was asked for. */
export function parseConfig(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Config | undefined {
  const given = parseFlags(args);
  if (!given) return undefined;
  const value = (name: string): string | undefined =>
    given[name] ?? env[`DROVER_${name.toUpperCase().replaceAll('-', '_')}`];
  const dataDir = resolve(
    value('data-dir') ?? join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'drover'),
  );
  const tls = { cert: value('tls-cert'), key: value('tls-key') };
  if (Boolean(tls.cert) !== Boolean(tls.key))
    throw invalid(tls.cert ? '--tls-key' : '--tls-cert', 'a certificate and its key go together');
  const password = value('bootstrap-password');
  if (password === '') throw invalid('--bootstrap-password', 'must not be empty');
  const store = parseStore(value('store') ?? 'sqlite');
  return {
    listen: parseListen(value('listen') ?? 'localhost:8443'),
    serverUrl: parseServerUrl(value('server-url')),
    peerUrl: parsePeerUrl(value('peer-url'), store),
    dataDir,
    store,
    copyTo: given['copy-to'] === undefined ? undefined : parseStore(given['copy-to'], '--copy-to'),
    etcdTls: { ca: value('etcd-ca'), cert: value('etcd-cert'), key: value('etcd-key') },
    tls,
    bootstrapPassword: password === undefined ? undefined : new Secret(password),
    secretsKeyFile: resolve(value('secrets-key-file') ?? join(dataDir, 'secrets.key')),
    cluster: parseCluster(value('cluster') ?? 'auto'),
    kubeBinDir: value('kube-bin-dir'),
    bundleDirs: (value('bundle')?.split(',') ?? [join(dataDir, 'bundles'), dirname(defaultBundleDir())]).map(dir =>
      resolve(dir),
    ),
    agentImages: resolve(value('agent-images') ?? fileURLToPath(new URL('../../../dist/images', import.meta.url))),
    drainMs: parseSeconds('--drain-seconds', value('drain-seconds') ?? '10') * 1000,
    trustedProxies: parseTrustedProxies(value('trusted-proxies')),
    audit: parseAudit(value),
  };
}

function parseFlags(args: readonly string[]): Record<string, string | undefined> | undefined {
  const options = Object.fromEntries(flags.map(flag => [flag.name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    });
    return values['help'] ? undefined : (values as Record<string, string | undefined>);
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0]! : String(error);
    throw invalid('flags', `${message}; see drover up --help`);
  }
}

function parseListen(text: string): Config['listen'] {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw invalid('--listen', `"${text}" must be HOST:PORT, such as localhost:8443 or [::]:8443`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

function parseServerUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw invalid('--server-url', `"${text}" must be an https URL, such as https://drover.example.com`);
  }
  return text.replace(/\/+$/, '');
}

function parsePeerUrl(text: string | undefined, store: StoreChoice): string | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^https:\/\/(?:\[[0-9a-fA-F:]+\]|[^:/@[\]]+):(\d{1,5})\/?$/.exec(text);
  if (!match || Number(match[1]) === 0 || Number(match[1]) > 65535)
    throw invalid('--peer-url', `"${text}" must be https://HOST:PORT, such as https://10.0.0.5:8444`);
  if (store.type !== 'etcd') throw invalid('--peer-url', 'has a use only with --store etcd://…');
  return text.replace(/\/$/, '');
}

function parseStore(text: string, flag = '--store'): StoreChoice {
  if (text === 'sqlite') return { type: 'sqlite' };
  const match = /^(etcds?):\/\/(?:([^:@/]+):([^@/]*)@)?([^/@]+)\/?$/.exec(text);
  if (!match) throw invalid(flag, 'must be sqlite, etcd://HOST:PORT[,HOST:PORT…] or etcds://…');
  const scheme = match[1] === 'etcds' ? 'https' : 'http';
  const endpoints = match[4]!.split(',').map(endpoint => {
    if (!/^(\[[0-9a-fA-F:]+\]|[^:]+):\d{1,5}$/.test(endpoint))
      throw invalid(flag, `endpoint "${endpoint}" must be HOST:PORT`);
    return `${scheme}://${endpoint}`;
  });
  const credentials = match[2]
    ? { username: decodeURIComponent(match[2]), password: new Secret(decodeURIComponent(match[3]!)) }
    : {};
  return { type: 'etcd', endpoints, ...credentials };
}

function parseCluster(text: string): ClusterChoice {
  if (text === 'auto' || text === 'local' || text === 'control-plane' || text === 'none') return { type: text };
  if (text.startsWith('context:') && text.length > 8) return { type: 'context', context: text.slice(8) };
  throw invalid('--cluster', `"${text}" must be auto, local, control-plane, none or context:NAME`);
}

function parseTrustedProxies(text: string | undefined): string[] {
  const networks = (text ?? '').split(',').map(network => network.trim());
  const given = networks.filter(network => network !== '');
  behindProxies(given, '--trusted-proxies');
  return given;
}

function parseSeconds(flag: string, text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > 3600)
    throw invalid(flag, `"${text}" must be seconds from 0 to 3600`);
  return seconds;
}
