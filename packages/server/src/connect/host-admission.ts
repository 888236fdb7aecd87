/**
 * HostAdmission: which host it is that dials in. A token lets a host register once; from then on it is known by its key alone, so that
 * a token that is passed on, or out of date, makes nobody another host. A registered host is a node of the server's.
 */
import { createPublicKey, verify } from 'node:crypto';
import type { Cluster, ManagedNode } from '@drover/api';
import { badRequest, isAlreadyExists, setCondition, unauthorized } from '@drover/base';
import { findByToken } from '../clusters/registration-token.ts';
import { managedNodeName } from '../controllers/node-plan.ts';
import { isRegistered } from '../provisioning/plan-hosts.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { finalizerOf, namespaceIndex } from '../resources/index.ts';
import type { HostParams } from './params.ts';
import type { ServerIdentity } from './server-identity.ts';

export interface HostAdmissionDeps {
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'cluster' | 'node' | 'secret'>;
  readonly identity: Pick<ServerIdentity, 'isFresh'>;
}

export interface AdmittedHost {
  readonly clusterId: string;
  readonly nodeName: string;
}

/** Keeps a node until its host is clean. */
export const hostFinalizer = finalizerOf('host-cleanup');
const keyIndex = 'host-key';
const registeredIndex = 'registered-host';
const yes = 'yes';

export class HostAdmission {
  readonly #deps: HostAdmissionDeps;

  constructor(deps: HostAdmissionDeps) {
    this.#deps = deps;
    deps.caches.node.index(keyIndex, ({ status }) =>
      status?.hostIdentity?.['key'] ? [status.hostIdentity['key']] : [],
    );
    deps.caches.node.index(registeredIndex, node => (isRegistered(node) ? [yes] : []));
  }

  /** How many hosts have registered with any cluster. */
  get registered(): number {
    return this.#deps.caches.node.count(registeredIndex, yes);
  }

  /** Registers a new one by its token. Throws BadRequest or Unauthorized in words for whoever runs the node command. */
  async admit(
    params: HostParams,
    { token, now, serverUrl }: { readonly token?: string; readonly now: number; readonly serverUrl: string },
  ): Promise<AdmittedHost> {
    const known = this.known(params, now);
    if (known) return { clusterId: known.metadata.namespace ?? '', nodeName: nodeNameOf(known) };
    if (token === undefined)
      throw unauthorized('this host is no node of any cluster any more; run the node command of one to make it one');
    const found = findByToken(this.#deps.caches, token, now);
    const cluster = found && this.#deps.caches.cluster.get(found.clusterId);
    if (!cluster) throw badRequest('the token is not known, or its time is over: get the node command anew');
    return await this.#register(cluster, params, serverUrl);
  }

  /** The node of a host that proves to have its key. Throws Unauthorized for a proof that is none. */
  known(params: HostParams, now: number): ManagedNode | undefined {
    if (!this.#deps.identity.isFresh(params.challenge, now) || !isProven(params))
      throw unauthorized('the host did not prove that it has the key that it names');
    const node = this.#deps.caches.node.by(keyIndex, params.publicKey)[0];
    if (node && node.status?.hostIdentity?.['machineId'] !== params.machineId)
      throw unauthorized(
        `this host is a copy of ${nodeNameOf(node)}: it has its key, but another machine-id. Remove ` +
          '/var/lib/drover-node-agent and run the node command here',
      );
    return node;
  }

  async #register(cluster: Cluster, params: HostParams, serverUrl: string): Promise<AdmittedHost> {
    const { resources, caches } = this.#deps;
    const clusterId = cluster.metadata.name;
    const title = cluster.spec?.displayName || clusterId;
    if (!cluster.spec?.rancherKubernetesEngineConfig)
      throw badRequest(`cluster "${title}" was imported: it is not made of hosts by this server`);
    if (cluster.metadata.deletionTimestamp) throw badRequest(`cluster "${title}" is being deleted`);
    const name = managedNodeName(params.name);
    const place = { name, namespace: clusterId };
    const there = await resources.find('node', name, clusterId);
    // Another replica has taken it in just now.
    if (there?.status?.hostIdentity?.['key'] === params.publicKey) return { clusterId, nodeName: params.name };
    if (there)
      throw badRequest(
        `${params.name} is a node of cluster "${title}" already, and this host is another one (it has another key): ` +
          'delete that node first, or give this one a name of its own behind --node-name',
      );
    requireUnlike(params, [...caches.node.by(namespaceIndex, clusterId)], title);
    const twin = [...caches.node.all()].find(({ status }) => status?.hostIdentity?.['machineId'] === params.machineId);
    if (twin) throw badRequest(twinMessage(twin, clusterId, params));
    const draft = draftOf(clusterId, params, serverUrl);
    try {
      await resources.create('node', { ...draft, metadata: { ...place, finalizers: [hostFinalizer] } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return await this.#register(cluster, params, serverUrl);
    }
    return { clusterId, nodeName: params.name };
  }
}

/** What Kubernetes calls, or will call, the node. */
export const nodeNameOf = (node: ManagedNode): string =>
  node.spec?.requestedHostname ?? node.status?.nodeName ?? node.metadata.name;

function isProven({ publicKey, challenge, proof }: HostParams): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, Buffer.from(`drover host\n${challenge}`), key, Buffer.from(proof, 'base64url'));
  } catch {
    return false;
  }
}

/** Two hosts of one cluster share no address. */
function requireUnlike(params: HostParams, others: readonly ManagedNode[], title: string): void {
  for (const other of others) {
    const { address, internalAddress } = other.spec?.customConfig ?? {};
    for (const [flag, mine, its] of [
      ['--address', params.address, address],
      ['--internal-address', params.internalAddress, internalAddress],
    ] as const)
      if (its !== undefined && mine === its)
        throw badRequest(
          `${mine} is the address of ${nodeNameOf(other)} in cluster "${title}" already; if this host has another one, name it behind ${flag}`,
        );
  }
}

function twinMessage(twin: ManagedNode, clusterId: string, { machineId }: HostParams): string {
  const where = twin.metadata.namespace === clusterId ? 'this cluster' : `cluster ${twin.metadata.namespace}`;
  return (
    `this host is ${nodeNameOf(twin)} of ${where} already (both have the machine-id ${machineId}): delete that node first; ` +
    'if one is a clone of the other, remove /etc/machine-id here and run systemd-machine-id-setup'
  );
}

function draftOf(clusterId: string, params: HostParams, server: string): Pick<ManagedNode, 'spec' | 'status'> {
  const has = (role: string) => params.roles.some(one => one === role);
  return {
    spec: {
      clusterName: clusterId,
      requestedHostname: params.name,
      controlPlane: has('controlplane'),
      etcd: has('etcd'),
      worker: has('worker'),
      imported: false,
      customConfig: {
        address: params.address,
        internalAddress: params.internalAddress,
        label: params.labels,
        taints: params.taints,
      },
    },
    status: {
      hostname: params.name,
      ipAddress: params.internalAddress,
      ...(params.address === params.internalAddress ? {} : { externalIpAddress: params.address }),
      hostIdentity: { key: params.publicKey, machineId: params.machineId, agentVersion: params.version, server },
      conditions: setCondition(setCondition(undefined, { type: 'Registered', status: 'True' }), {
        type: 'Provisioned',
        status: 'Unknown',
        reason: 'Waiting',
        message: 'waiting for its cluster to be made',
      }),
    },
  };
}
