/** What a host says of itself to the server, and how it proves to be the one that said it first. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { requireServerIdentity } from '../server-identity.ts';
import { agentVersion } from '../version.ts';
import { addressTowards, resolveAddress } from './addresses.ts';
import type { HostConfig } from './host-config.ts';

export interface HostProof {
  readonly config: HostConfig;
  /** PEM of the host's own key. */
  readonly key: string;
  /** The server's CA; undefined for the system's roots. */
  readonly ca: string | undefined;
  /** Whether the server knows this host by its key. */
  readonly isKnown: boolean;
  readonly signal: AbortSignal;
}

/** Made anew for each request, once the server has proved who it is: its challenge is good for a minute. */
export async function hostHeaders(proof: HostProof): Promise<Record<string, string>> {
  const { config, key, ca, isKnown, signal } = proof;
  const challenge = await requireServerIdentity(config.server, { serverKey: config.serverKey, ca, signal });
  const privateKey = createPrivateKey(key);
  const own = await addressTowards(config.server, signal);
  const address = config.address === undefined ? own : resolveAddress('--address', config.address);
  const internalAddress =
    config.internalAddress === undefined
      ? config.address === undefined
        ? address
        : own
      : resolveAddress('--internal-address', config.internalAddress);
  const has = (role: string) => config.roles.some(one => one === role);
  const params = {
    node: {
      customConfig: {
        address,
        internalAddress,
        roles: config.roles,
        label: config.labels,
        taints: config.taints,
      },
      etcd: has('etcd'),
      controlPlane: has('controlplane'),
      worker: has('worker'),
      requestedHostname: config.nodeName,
    },
    host: {
      version: agentVersion,
      machineId: (await readFile(config.machineIdFile ?? '/etc/machine-id', 'utf8').catch(() => '')).trim(),
      publicKey: createPublicKey(privateKey).export({ format: 'jwk' }).x,
      challenge,
      proof: sign(null, Buffer.from(`drover host\n${challenge}`), privateKey).toString('base64url'),
    },
  };
  return {
    'X-API-Tunnel-Params': Buffer.from(JSON.stringify(params)).toString('base64'),
    ...(isKnown ? {} : { 'X-API-Tunnel-Token': config.token }),
  };
}
