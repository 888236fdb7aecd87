/**
 * ClusterUpstreams: the way to each cluster as it is this moment: its agent's tunnel, or directly for `local`. Answers
 * at once, always: a cluster that is away is said to be away, with its cause, and never waited for.
 */
import type { Cluster } from '@drover/api';
import { type Dialer, findCondition, isDnsLabel, notFound, Secret, unavailable } from '@drover/base';
import type { Connection } from '@drover/kube';
import { type Caches, Listeners, noteRead, type Source } from '../resources/index.ts';
import type { NodeTunnels } from './node-tunnels.ts';
import { agoText, type Presence } from './presence.ts';
import { controllerUser, type Upstream, type Upstreams } from './upstream.ts';

/** What of a tunnel server is needed to reach clusters. */
export interface Tunnels {
  has(clientKey: string): boolean;
  dialer(clientKey: string): Dialer;
}

/** How the server reaches the cluster that it runs itself. */
export interface LocalCluster {
  readonly server: string;
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: Secret;
}

export interface UpstreamsDeps {
  readonly caches: Pick<Caches, 'cluster' | 'secret'>;
  readonly tunnels: Tunnels;
  /** The way into a cluster whose own agent is away. */
  readonly nodes: Pick<NodeTunnels, 'pick' | 'subscribe'>;
  readonly presence: Presence;
  readonly signal: AbortSignal;
  readonly now?: () => number;
}

/** The namespace of what the server keeps about clusters; what others know it by. */
export const credentialNamespace = 'cattle-global-data';
export const localClusterId = 'local';

const throughNode = 'its cluster agent is away; it is reached through the agent on one of its nodes';

interface Kept {
  readonly cluster: Cluster;
  readonly clientKey: string;
  readonly way: string;
  readonly upstream: Upstream;
}

export class ClusterUpstreams implements Upstreams, Source {
  readonly #deps: UpstreamsDeps;
  /** The object stays the same while the way does, so that pools and clients can be kept by it. */
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Listeners<(clusterId: string) => void>();
  /** How often a way changed. */
  changes = 0;
  #local: Upstream | undefined;
  #localCause = 'this server does not run it: it was started without it';

  constructor(deps: UpstreamsDeps) {
    this.#deps = deps;
    deps.caches.cluster.subscribe(({ key, before, after }) => {
      if (!after) this.#kept.delete(key);
      if (wayOf(before) !== wayOf(after)) this.#tell(key);
    }, deps.signal);
    deps.caches.secret.subscribe(({ before, after }) => {
      const clusterId = (after ?? before)?.metadata.labels?.['cattle.io/cluster'];
      if (clusterId) this.#tell(clusterId);
    }, deps.signal);
    deps.presence.subscribe(clusterId => this.#tell(clusterId), deps.signal);
    deps.nodes.subscribe(clusterId => this.#tell(clusterId), deps.signal);
  }

  /** Says how the cluster that the server runs is reached. */
  setLocal(local: LocalCluster): void {
    this.#local = { clusterId: localClusterId, kind: 'local', origin: local.server, ...local };
    this.#tell(localClusterId);
  }

  /** Says why the cluster that the server runs can't be reached, e.g. which step of its start is under way. */
  setLocalAway(cause: string): void {
    this.#local = undefined;
    this.#localCause = cause;
    this.#tell(localClusterId);
  }

  get(clusterId: string): Upstream {
    noteRead(this);
    const cluster = isDnsLabel(clusterId) ? this.#deps.caches.cluster.get(clusterId) : undefined;
    if (!cluster) throw notFound('cluster', clusterId);
    if (clusterId === localClusterId && cluster.spec?.internal) return this.#local ?? this.#away(cluster);
    const clientKey = this.#keyOf(cluster);
    if (clientKey === undefined) return this.#away(cluster);
    const kept = this.#kept.get(clusterId);
    if (
      kept?.cluster === cluster &&
      kept.clientKey === clientKey &&
      cluster.status?.serviceAccountTokenSecret === undefined
    )
      return kept.upstream;
    return this.#make(cluster, clientKey, kept);
  }

  connection(clusterId: string): Connection {
    const { origin, ca, clientCert, clientKey, token, dialer, kind } = this.get(clusterId);
    // In `local` nobody applied a manifest that binds the controllers' user, and the certificate is a master's anyway.
    const groups = kind === 'local' ? ['system:masters'] : [];
    const impersonate = { user: controllerUser, groups };
    return { server: origin, ca, clientCert, clientKey, token, dialer, impersonate, connections: 32 };
  }

  subscribe(listener: (clusterId: string) => void, signal: AbortSignal, only?: string): void {
    this.#listeners.add(listener, signal, only);
  }

  #tell(clusterId: string): void {
    this.changes++;
    this.#listeners.tell([clusterId], listener => listener(clusterId));
  }

  /** Whose tunnel leads there: its own agent's, else, for a cluster of our agents, one of its nodes'. */
  #keyOf({ metadata, status }: Cluster): string | undefined {
    if (this.#deps.tunnels.has(metadata.name)) return metadata.name;
    return status?.serviceAccountTokenSecret ? undefined : this.#deps.nodes.pick(metadata.name);
  }

  #make(cluster: Cluster, clientKey: string, kept: Kept | undefined): Upstream {
    const clusterId = cluster.metadata.name;
    const { serviceAccountTokenSecret: secretName, apiEndpoint, caCert } = cluster.status ?? {};
    const secret = secretName ? this.#deps.caches.secret.get(secretName, credentialNamespace) : undefined;
    if (secretName && !secret?.stringData?.['credential'])
      throw unavailable(`cluster "${clusterId}": its credentials are not there; restart its agent to register anew`);
    // Until it is known which kind of agent it is, nothing may be sent to it.
    if (!secretName && !cluster.status?.agentVersion)
      throw unavailable(`cluster "${clusterId}": its agent is being registered`);
    const way = JSON.stringify([
      clientKey,
      secretName,
      secret?.metadata.resourceVersion,
      secret && apiEndpoint,
      secret && caCert,
    ]);
    const upstream =
      kept?.way === way
        ? kept.upstream
        : secret
          ? this.#foreign(cluster, secret.stringData!['credential']!)
          : this.#ours(clusterId, clientKey);
    this.#kept.set(clusterId, { cluster, clientKey, way, upstream });
    return upstream;
  }

  #ours(clusterId: string, clientKey: string): Upstream {
    const dialer = this.#deps.tunnels.dialer(clientKey);
    const note = clientKey === clusterId ? {} : { note: throughNode };
    return { clusterId, kind: 'agent', origin: 'http://kubernetes', dialer, ...note };
  }

  /** Whatever address the agent named is dialled through its own tunnel only: it leads nowhere but into its cluster. */
  #foreign(cluster: Cluster, token: string): Upstream {
    const clusterId = cluster.metadata.name;
    const { apiEndpoint = '', caCert = '' } = cluster.status ?? {};
    return {
      clusterId,
      kind: 'foreign-agent',
      origin: apiEndpoint,
      ca: Buffer.from(caCert, 'base64').toString('utf8'),
      token: new Secret(token),
      dialer: this.#deps.tunnels.dialer(clusterId),
    };
  }

  #away(cluster: Cluster): never {
    const { name } = cluster.metadata;
    const title = cluster.spec?.displayName || name;
    // No Retry-After: kubectl would wait for it ten times over before it shows the message.
    throw unavailable(`cluster "${title}" is not connected: ${this.#cause(cluster)}`);
  }

  #cause(cluster: Cluster): string {
    const { presence, now = Date.now } = this.#deps;
    const { name } = cluster.metadata;
    const told = findCondition(cluster.status?.conditions, 'Connected');
    if (name === localClusterId && cluster.spec?.internal) return this.#localCause;
    const left = presence.left(name);
    if (left)
      return `${left.cause}, ${agoText(now() - left.atMs)} (${new Date(left.atMs).toISOString().slice(0, 19)}Z)`;
    if (!told) return 'its agent has never connected; apply the import manifest in it';
    const since = Date.parse(told.lastTransitionTime ?? '');
    const ago = Number.isNaN(since) || told.status === 'True' ? '' : ` since ${told.lastTransitionTime}`;
    return `its agent has not connected to this server yet${ago}`;
  }
}

/** What of a cluster decides how it is reached. */
function wayOf(cluster: Cluster | undefined): string | undefined {
  if (!cluster) return undefined;
  const { serviceAccountTokenSecret, apiEndpoint, caCert, agentVersion } = cluster.status ?? {};
  return JSON.stringify([serviceAccountTokenSecret, apiEndpoint, caCert, Boolean(agentVersion)]);
}
