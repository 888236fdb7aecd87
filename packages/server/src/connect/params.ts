/**
 * What an agent says of itself in X-API-Tunnel-Params: base64 of JSON. Ours names the cluster and versions; an
 * unmodified one of this ecosystem hands over an address, a token and a CA. All of it is only a claim.
 */
import { X509Certificate } from 'node:crypto';
import { badRequest, isDnsSubdomain, Secret } from '@drover/base';

export type AgentParams =
  | {
      readonly kind: 'drover';
      readonly version: string;
      readonly clusterUid: string;
      readonly kubernetesVersion: string;
      /** The node that it is the agent of; a cluster's own agent is of none. */
      readonly node?: string;
    }
  | { readonly kind: 'rancher'; readonly address: string; readonly token: Secret; readonly caCert: string };

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
  const cluster = asObject(parsed['cluster']);
  if (!cluster) throw badRequest('missing node or cluster registration info');
  return parseCluster(cluster);
}

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
