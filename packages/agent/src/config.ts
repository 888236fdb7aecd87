/**
 * What the agent was told: flags, then the environment that the import manifest sets, then the mounted credentials.
 * Everything is checked here, with an error that names where the value came from and what would be right.
 */
import { parseArgs } from 'node:util';
import { invalid, isDnsSubdomain, Secret } from '@drover/base';

export interface AgentConfig {
  /** Given directly; else both are read from `credentialsDir`. */
  readonly server?: string;
  readonly token?: Secret;
  readonly credentialsDir: string;
  /** SHA-256 of the server's CA bundle, lower-case hex. */
  readonly caChecksum?: string;
  readonly caFile?: string;
  /** The key that the server must hold (raw Ed25519, base64url); absent: its certificate is enough. */
  readonly serverKey?: string;
  /** Absent: the pod's own service account. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly health?: { readonly host: string; readonly port: number };
  /** `host:port` of what the server may dial in the cluster besides the kube-apiserver. */
  readonly allow: readonly string[];
  readonly sockets: number;
  /** The node that it is the agent of: a second way in, for when the cluster's own agent is away. */
  readonly node?: string;
}

const flags = {
  server: ['URL', 'the server to connect to'],
  token: ['TOKEN', 'the registration token (better: DROVER_TOKEN, which other processes can not see)'],
  'credentials-dir': ['DIR', 'directory with the files url and token (default /cattle-credentials)'],
  'ca-checksum': ['SHA256', "pin the server's CA bundle by its checksum"],
  'ca-file': ['FILE', "the server's CA bundle (PEM)"],
  'server-key': ['KEY', 'the key by which the server must prove who it is (43 letters, from its manifest)'],
  kubeconfig: ['FILE', "reach the cluster by this kubeconfig (default: the pod's service account)"],
  context: ['NAME', 'context of the kubeconfig (default: its current one)'],
  health: ['HOST:PORT', 'answer /healthz and /readyz there (default 0.0.0.0:8080 in a pod, else nowhere)'],
  allow: ['HOST:PORT', 'let the server dial this address too; may be repeated'],
  sockets: ['N', 'parallel connections to the server (default 2, for a node 1)'],
  node: ['NAME', "be the agent of this node: the way in while the cluster's own agent is away"],
} as const;

export const usage = `Usage: drover agent [flags]

Connects a cluster to a Drover server: dials out, and forwards what the server's users ask of the cluster's API.

Flags:
${Object.entries(flags)
  .map(([name, [value, help]]) => `  --${`${name} ${value}`.padEnd(24)} ${help}`)
  .join('\n')}
`;

/** Parses and checks; throws Invalid naming the flag or variable. Undefined when help was asked for. */
export function parseAgentConfig(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): AgentConfig | undefined {
  const given = parseFlags(args);
  if (given['help']) return undefined;
  const text = (name: string) => given[name] as string | undefined;
  const caChecksum = (text('ca-checksum') ?? env['CATTLE_CA_CHECKSUM'])?.trim().toLowerCase() || undefined;
  if (caChecksum !== undefined && !/^[0-9a-f]{64}$/.test(caChecksum))
    throw invalid('--ca-checksum', 'must be a SHA-256 checksum: 64 hex digits');
  const serverKey = (text('server-key') ?? env['DROVER_SERVER_KEY'])?.trim() || undefined;
  if (serverKey !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(serverKey))
    throw invalid('--server-key', 'must be 32 bytes in base64url: 43 letters');
  const node = (text('node') ?? env['DROVER_NODE_NAME'])?.trim() || undefined;
  if (node !== undefined && !isDnsSubdomain(node)) throw invalid('--node', 'must be the name of a node');
  const token = text('token') ?? env['DROVER_TOKEN'];
  const server = text('server') ?? env['DROVER_SERVER'];
  if (Boolean(token) !== Boolean(server))
    throw invalid(token ? '--server' : '--token', 'the server and its token go together');
  const inPod = env['KUBERNETES_SERVICE_HOST'] !== undefined && text('kubeconfig') === undefined;
  const health = text('health') ?? (inPod ? '0.0.0.0:8080' : undefined);
  return {
    ...(server && token ? { server: parseServerUrl('--server', server), token: new Secret(token) } : {}),
    credentialsDir: text('credentials-dir') ?? '/cattle-credentials',
    caChecksum,
    caFile: text('ca-file'),
    serverKey,
    kubeconfig: text('kubeconfig'),
    context: text('context'),
    health: health === undefined ? undefined : parseHostPort('--health', health),
    allow: ((given['allow'] as string[] | undefined) ?? []).map(address => {
      const { host, port } = parseHostPort('--allow', address);
      return `${host.includes(':') ? `[${host}]` : host}:${port}`;
    }),
    sockets: parseSockets(text('sockets') ?? (node === undefined ? '2' : '1')),
    node,
  };
}

function parseFlags(args: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.keys(flags).map(name => [name, { type: 'string' as const, multiple: name === 'allow' }]),
  );
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0]! : String(error);
    throw invalid('flags', `${message}; see drover agent --help`);
  }
}

/** Only host and port of it are used; the path is the protocol's. Throws Invalid naming where it came from. */
export function parseServerUrl(source: string, text: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password)
    throw invalid(source, `"${text.trim().slice(0, 200)}" must be an https URL, such as https://drover.example.com`);
  return url.origin;
}

function parseHostPort(source: string, text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65_535) throw invalid(source, `"${text}" must be HOST:PORT`);
  return { host: match[1] ?? match[2]!, port: Number(match[3]) };
}

function parseSockets(text: string): number {
  const sockets = Number(text);
  if (!Number.isInteger(sockets) || sockets < 1 || sockets > 8) throw invalid('--sockets', 'must be from 1 to 8');
  return sockets;
}
