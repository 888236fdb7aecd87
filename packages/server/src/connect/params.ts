/**
 * What an agent says of itself in X-API-Tunnel-Params: base64 of JSON. Ours names the cluster and versions; an
 * unmodified one of this ecosystem hands over an address, a token and a CA. All of it is only a claim.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { badRequest, isDnsSubdomain, Secret } from '@drover/base';

export type AgentParams =
  | HostParams
  | {
      readonly kind: 'drover';
      readonly version: string;
      readonly clusterUid: string;
      readonly kubernetesVersion: string;
      /** The node that it is the agent of; a cluster's own agent is of none. */
      readonly node?: string;
    }
  | { readonly kind: 'rancher'; readonly address: string; readonly token: Secret; readonly caCert: string };

/** The agent of a host that is to be a node of a cluster that this server makes. */
export interface HostParams {
  readonly kind: 'host';
  readonly version: string;
  readonly name: string;
  readonly address: string;
  readonly internalAddress: string;
  readonly roles: readonly ('etcd' | 'controlplane' | 'worker')[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly string[];
  readonly machineId: string;
  /** Raw Ed25519, base64url. */
  readonly publicKey: string;
  readonly challenge: string;
  readonly proof: string;
}

const maxBytes = 48 * 1024;

/** Throws BadRequest in the words that agents of this ecosystem show to their operators. */
export function parseParams(header: string | undefined): AgentParams {
  if (!header) throw badRequest('missing node or cluster registration info');
  if (header.length > maxBytes) throw badRequest(`registration info is longer than ${maxBytes} bytes`);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(header)) throw badRequest('registration info is not base64');
  const parsed = parseObject(Buffer.from(header, 'base64').toString('utf8'));
  const agent = asObject(parsed['agent']);
  if (agent) {
    return {
      kind: 'drover',
      version: shortText(agent['version'], 'version'),
      clusterUid: shortText(agent['clusterUid'], 'clusterUid'),
      kubernetesVersion: shortText(agent['kubernetesVersion'], 'kubernetesVersion'),
      ...(agent['node'] === undefined ? {} : { node: nodeName(agent['node']) }),
    };
  }
  const [node, host] = [asObject(parsed['node']), asObject(parsed['host'])];
  if (node && host) return parseHost(node, host);
  if (node) throw badRequest('this agent is for hosts with Docker; run the node command of this server on the host');
  const cluster = asObject(parsed['cluster']);
  if (!cluster) throw badRequest('missing node or cluster registration info');
  return parseCluster(cluster);
}

function parseHost(node: Readonly<Record<string, unknown>>, host: Readonly<Record<string, unknown>>): HostParams {
  const custom = asObject(node['customConfig']) ?? {};
  const { requestedHostname: name } = node;
  if (typeof name !== 'string' || !isDnsSubdomain(name)) throw badRequest('invalid input, hostname empty or no name');
  const roles = (['etcd', 'controlplane', 'worker'] as const).filter(role =>
    role === 'controlplane' ? node['controlPlane'] === true : node[role] === true,
  );
  if (roles.length === 0)
    throw badRequest('the host has no role: append --etcd, --controlplane, --worker, or several, to the node command');
  const address = addressIn(custom, 'address');
  const word = (value: unknown, field: string, pattern: RegExp): string => {
    if (typeof value !== 'string' || !pattern.test(value)) throw badRequest(`invalid input, ${field}`);
    return value;
  };
  return {
    kind: 'host',
    version: shortText(host['version'], 'version'),
    name,
    address,
    internalAddress: custom['internalAddress'] === undefined ? address : addressIn(custom, 'internalAddress'),
    roles,
    labels: Object.fromEntries(
      Object.entries(asObject(custom['label']) ?? {})
        .slice(0, 100)
        .map(([key, value]) => [
          word(key, 'label', /^[A-Za-z0-9][A-Za-z0-9._/-]{0,316}$/),
          word(value, `label ${key.slice(0, 100)}`, /^[A-Za-z0-9._-]{0,63}$/),
        ]),
    ),
    taints: (Array.isArray(custom['taints']) ? custom['taints'].slice(0, 100) : []).map((taint: unknown) =>
      word(taint, 'taints must be KEY=VALUE:EFFECT', taintPattern),
    ),
    machineId: word(host['machineId'], 'machineId: /etc/machine-id is empty', /^[0-9a-f]{32}$/),
    publicKey: word(host['publicKey'], 'publicKey', /^[A-Za-z0-9_-]{43}$/),
    challenge: word(host['challenge'], 'challenge', /^[A-Za-z0-9._-]{1,200}$/),
    proof: word(host['proof'], 'proof', /^[A-Za-z0-9_-]{86}$/),
  };
}

/** `key=value:Effect`. */
export const taintPattern =
  /^([A-Za-z0-9][A-Za-z0-9._/-]{0,316})=([A-Za-z0-9._-]{0,63}):(NoSchedule|PreferNoSchedule|NoExecute)$/;

function addressIn(custom: Readonly<Record<string, unknown>>, field: string): string {
  const value = custom[field];
  if (typeof value !== 'string' || (!isIP(value) && !isDnsSubdomain(value)))
    throw badRequest(`invalid input, ${field} must be an address`);
  if (/^(0\.|127\.|169\.254\.|::1?$|fe80:|localhost)/i.test(value))
    throw badRequest(`${field}: ${value} is the host's own loopback: name another one behind --${dashed(field)}`);
  return value;
}

const dashed = (field: string): string => (field === 'address' ? 'address' : 'internal-address');

function parseCluster(cluster: Readonly<Record<string, unknown>>): AgentParams {
  const text = (name: string): string => {
    const value = cluster[name];
    if (typeof value !== 'string' || value === '') throw badRequest(`invalid input, ${name} empty`);
    return value;
  };
  const address = text('address');
  if (!/^(?:\[[0-9a-fA-F:]{2,45}\]|[0-9A-Za-z.-]{1,253}|[0-9a-fA-F:]{2,45}):\d{1,5}$/.test(address))
    throw badRequest('invalid input, address must be host:port');
  const token = text('token').trim();
  if (!/^[\x21-\x7e]{1,16384}$/.test(token)) throw badRequest('invalid input, token must be printable');
  const caCert = text('caCert');
  try {
    new X509Certificate(Buffer.from(caCert, 'base64'));
  } catch (cause) {
    throw badRequest('invalid input, caCert must be base64 of a certificate in PEM', cause);
  }
  return { kind: 'rancher', address: bracketed(address), token: new Secret(token), caCert };
}

/** IPv6 addresses come without brackets from some agents. */
function bracketed(address: string): string {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return host.includes(':') && !host.startsWith('[') ? `[${host}]${address.slice(colon)}` : address;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text)) ?? {};
  } catch (cause) {
    throw badRequest('registration info is not JSON', cause);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function nodeName(value: unknown): string {
  if (typeof value !== 'string' || !isDnsSubdomain(value))
    throw badRequest('invalid input, node must be a node’s name');
  return value;
}

function shortText(value: unknown, name: string): string {
  if (typeof value !== 'string' || !/^[\w.:+-]{1,128}$/.test(value))
    throw badRequest(`invalid input, ${name} must be a short word`);
  return value;
}
