/**
 * What a host was told when the node command ran on it: which server, and as what it joins. Kept beside the key by which the host
 * proves that it is the one that registered.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { invalid, isDnsSubdomain, messageOf } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { parseServerUrl } from '../config.ts';

export const roles = ['etcd', 'controlplane', 'worker'] as const;

export interface HostConfig {
  readonly server: string;
  /** Shown until the server knows the host's key. */
  readonly token: string;
  readonly caChecksum?: string;
  readonly serverKey: string;
  readonly roles: readonly (typeof roles)[number][];
  readonly nodeName: string;
  readonly address?: string;
  readonly internalAddress?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly string[];
  /** Default /etc/machine-id. */
  readonly machineIdFile?: string;
}

export const defaultHostDir = '/var/lib/drover-node-agent';

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const options = {
  server: text,
  token: text,
  'ca-checksum': text,
  'server-key': text,
  etcd: flag,
  controlplane: flag,
  worker: flag,
  'all-roles': flag,
  'node-name': text,
  address: text,
  'internal-address': text,
  label: { ...text, multiple: true },
  taints: { ...text, multiple: true },
  help: { ...flag, short: 'h' },
} as const;

export const hostUsage = `Flags that go behind the node command:
  --etcd --controlplane --worker   what the host is for; --all-roles for all of them
  --node-name NAME                 its name in the cluster (default: its host name)
  --address ADDR|INTERFACE         where people reach it (default: from where it reaches the server)
  --internal-address ADDR|INTERFACE  where the other nodes do
  --label KEY=VALUE                may be repeated, or with commas
  --taints KEY=VALUE:EFFECT        the same
`;

/** Throws Invalid naming the flag. Undefined when help was asked for. */
export function parseHostFlags(args: readonly string[], host: { readonly hostname: string }): HostConfig | undefined {
  let given: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw invalid('flags', `${messageOf(error).split('. ')[0]}\n${hostUsage}`);
  }
  if (given.help) return undefined;
  const needed = (name: 'server' | 'token' | 'server-key'): string => {
    const value = given[name]?.trim();
    if (!value) throw invalid(`--${name}`, 'is missing: copy the whole node command');
    return value;
  };
  const serverKey = needed('server-key');
  if (!/^[A-Za-z0-9_-]{43}$/.test(serverKey)) throw invalid('--server-key', 'must be 43 letters of base64url');
  const chosen = roles.filter(role => given['all-roles'] || given[role]);
  if (chosen.length === 0)
    throw invalid('roles', 'say what the host is for: --etcd, --controlplane, --worker, or several of them');
  const nodeName = (given['node-name'] ?? host.hostname).toLowerCase();
  if (!isDnsSubdomain(nodeName) || nodeName.startsWith('localhost'))
    throw invalid('--node-name', `"${nodeName}" is no name for a node: lower-case letters, digits, - and .`);
  return {
    server: parseServerUrl('--server', needed('server')),
    token: needed('token'),
    ...(given['ca-checksum'] ? { caChecksum: checksum(given['ca-checksum']) } : {}),
    serverKey,
    roles: chosen,
    nodeName,
    ...(given.address ? { address: given.address } : {}),
    ...(given['internal-address'] ? { internalAddress: given['internal-address'] } : {}),
    labels: Object.fromEntries(listed(given.label).map(parseLabel)),
    taints: listed(given.taints).map(parseTaint),
  };
}

const listed = (values: readonly string[] = []): string[] =>
  values.flatMap(value => value.split(',')).filter(value => value !== '');

function checksum(value: string): string {
  const hex = value.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex)) throw invalid('--ca-checksum', 'must be a SHA-256 checksum: 64 hex digits');
  return hex;
}

function parseLabel(label: string): [string, string] {
  const match = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,316})=([A-Za-z0-9._-]{0,63})$/.exec(label);
  if (!match) throw invalid('--label', `"${label}" must be KEY=VALUE`);
  return [match[1]!, match[2]!];
}

function parseTaint(taint: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,316}=[A-Za-z0-9._-]{0,63}:(NoSchedule|PreferNoSchedule|NoExecute)$/.test(taint))
    throw invalid('--taints', `"${taint}" must be KEY=VALUE:EFFECT, with NoSchedule, PreferNoSchedule or NoExecute`);
  return taint;
}

const configFile = (dir: string): string => join(dir, 'config.json');
const keyFile = (dir: string): string => join(dir, 'host.key');

export async function writeHostConfig(dir: string, config: HostConfig): Promise<void> {
  await writeFileAtomic(configFile(dir), `${JSON.stringify(config, undefined, 2)}\n`);
}

/** Throws Invalid where the node command never ran here. */
export async function readHostConfig(dir: string): Promise<HostConfig> {
  const found = await readFileIfThere(configFile(dir));
  if (found === undefined) throw invalid(configFile(dir), 'is not there: run the node command of a cluster here');
  return JSON.parse(found) as HostConfig;
}

/** The host's own key as PEM; made once. */
export async function ensureHostKey(dir: string): Promise<string> {
  const there = await readFileIfThere(keyFile(dir));
  if (there !== undefined) return there;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await writeFileAtomic(keyFile(dir), pem);
  return pem;
}
