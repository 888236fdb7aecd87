/**
 * EngineRun: one cluster on hosts as it shall be right now, with the ways to its hosts. All that is done to it goes through here, so
 * that keys of hosts are pinned, states kept and steps told in one place.
 */
import type { Cluster } from '@drover/api';
import { conflict, messageOf } from '@drover/base';
import {
  apiConnection,
  type Bundle,
  type ClusterSpec,
  clusterAddons,
  connectSsh,
  type EngineState,
  type Executor,
  type KeptState,
  type ListedSnapshot,
  listSnapshots,
  type NodeSpec,
  type Origin,
  removeCluster,
  removeSnapshot,
  restoreSnapshot,
  saveSnapshot,
  type UpOptions,
  type UpResult,
  up,
  withTrusted,
} from '@drover/engine';
import { KubeClient } from '@drover/kube';
import type { EngineMemory } from './engine-memory.ts';
import type { HostTunnels } from './host-tunnels.ts';
import type { Timeline } from './timeline.ts';

export interface EngineRunDeps {
  readonly cluster: Cluster;
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly memory: EngineMemory;
  readonly timeline: Timeline;
  readonly tunnels: HostTunnels;
  /** Whether the host of that name registered by an agent of its own. */
  readonly isRegistered: (nodeName: string) => boolean;
  /** From where that host fetches files of bundles; undefined: they are sent to it. */
  readonly originOf?: (nodeName: string) => Pick<Origin, 'url' | 'ca'> | undefined;
  /** Told what is being done, for people. */
  readonly doing: (message: string) => void;
  readonly signal: AbortSignal;
}

export class EngineRun {
  readonly #deps: EngineRunDeps;
  readonly #hostKeys: Record<string, string>;
  readonly spec: ClusterSpec;

  constructor(deps: EngineRunDeps) {
    this.#deps = deps;
    this.spec = deps.spec;
    this.#hostKeys = { ...this.state?.hostKeys };
  }

  get state(): KeptState | undefined {
    return this.#deps.memory.state(this.#deps.spec);
  }

  /** Brings the hosts to what the cluster shall be. Throws the first thing that went wrong. */
  async up(
    how: Pick<UpOptions, 'renew' | 'rotateAuthorities' | 'rotateEncryptionKey' | 'leaveOut'> = {},
  ): Promise<Pick<UpResult, 'state' | 'leftOut'>> {
    const { spec, bundle, timeline, doing, signal } = this.#deps;
    const { state, leftOut } = await up({
      spec,
      bundle,
      state: this.state,
      saveState: next => this.saveState(next),
      connect: node => this.connect(node),
      addons: (wanted, facts) => clusterAddons({ spec: wanted, bundle: bundle.manifest, facts }),
      onEvent: event => {
        timeline.event(event);
        if (event.state === 'started') doing([event.host, event.title].filter(Boolean).join(': '));
      },
      onWarning: message => timeline.warn(message),
      ...how,
      signal,
    });
    await this.saveState(state);
    return { state, leftOut };
  }

  /** Makes one on each host with a member, and sends it where the cluster's settings say. */
  async saveSnapshot(name: string): Promise<void> {
    await saveSnapshot({ ...this.#reach, name, state: this.#deps.memory.text, onDone: () => undefined });
  }

  listSnapshots(): Promise<ListedSnapshot[]> {
    return listSnapshots(this.#reach);
  }

  removeSnapshot(name: string): Promise<void> {
    return removeSnapshot(name, this.#reach);
  }

  /** Puts a snapshot in place on all members; the cluster is down until it is brought up again. */
  async restoreSnapshot(name: string, madeUnder?: string): Promise<void> {
    const { bundle, timeline, doing } = this.#deps;
    const { state } = this;
    if (!state) throw conflict('cluster', this.spec.name, 'it was never made: there is nothing to bring back');
    const isOnHosts = (await this.listSnapshots()).some(one => one.name === name && one.place === 'host');
    await restoreSnapshot({
      ...this.#reach,
      ...(isOnHosts ? { s3: undefined } : {}),
      bundle,
      name,
      madeUnder,
      state,
      saveState: next => this.saveState(next),
      onStep: (host, title) => {
        const at = new Date().toISOString();
        timeline.event({ state: 'done', stage: 'restore', step: `restore/${host}/${title}`, title, host, at });
        doing(`${host}: ${title}`);
      },
    });
  }

  get #reach() {
    const { spec, timeline, signal } = this.#deps;
    return {
      spec,
      s3: spec.etcd.snapshots.s3,
      connect: (node: NodeSpec) => this.connect(node),
      onFailed: (host: string, message: string) => timeline.warn(`${host}: ${message}`),
      signal,
    };
  }

  saveState(state: EngineState): Promise<void> {
    const { memory, spec } = this.#deps;
    return memory.saveState(spec, { ...state, hostKeys: { ...this.#hostKeys } });
  }

  /** By the host's own agent where it has one, else by SSH; a key that was never seen is remembered, another one refused. */
  async connect(node: NodeSpec): Promise<Executor> {
    const { cluster, spec, tunnels, timeline, isRegistered } = this.#deps;
    if (isRegistered(node.name)) {
      const executor = tunnels.connect(cluster.metadata.name, node.name);
      const origin = this.#deps.originOf?.(node.name);
      if (!origin) return executor;
      const onFailed = (message: string) => timeline.warn(`${node.name}: it is sent what it can’t fetch: ${message}`);
      return { ...executor, origin: { ...origin, onFailed } };
    }
    if (!node.ssh.privateKey) throw conflict('host', node.name, 'it has no SSH key, and no agent that registered');
    const trustOf = (address: string, name: string) => ({
      fingerprint: this.#hostKeys[address],
      trust: (fingerprint: string) => {
        this.#hostKeys[address] = fingerprint;
        timeline.warn(`${name}: its SSH host key ${fingerprint} is trusted from now on`);
      },
    });
    return await connectSsh({
      access: node.ssh,
      host: node.name,
      ...trustOf(node.address, node.name),
      bastion: spec.bastion && { access: spec.bastion, ...trustOf(spec.bastion.address, 'bastion') },
    });
  }

  /** Takes everything off hosts. Answers those that could not be cleaned, with the cause. */
  async clean(nodes: readonly NodeSpec[]): Promise<ReadonlyMap<string, string>> {
    const failed = new Map<string, string>();
    const { timeline, doing, signal } = this.#deps;
    await removeCluster({
      nodes,
      connect: node => this.connect(node),
      onEvent: event => {
        timeline.event(event);
        if (event.state === 'started') doing([event.host, event.title].filter(Boolean).join(': '));
        if (event.state === 'failed' && event.host) failed.set(event.host, event.error ?? 'it could not be cleaned');
      },
      signal,
    }).catch(error => {
      if (failed.size === 0) throw error;
    });
    return failed;
  }

  /** Does something with the cluster's own API, as its administrator, through whichever control plane answers, in a rotation too. */
  async withApi<T>(state: EngineState, doing: (client: KubeClient) => Promise<T>): Promise<T> {
    await using ways = new AsyncDisposableStack();
    const executors = new Map<string, Executor>();
    for (const node of this.spec.nodes)
      if (node.roles.includes('controlplane')) executors.set(node.name, ways.use(await this.connect(node)));
    const connection = apiConnection(this.spec, withTrusted(state), executors);
    const client = ways.use(new KubeClient(connection, { timeoutMs: 30_000 }));
    return await doing(client);
  }

  /** Runs something on each host; throws naming those on which it failed. */
  async onHosts(
    nodes: readonly NodeSpec[],
    doing: (executor: Executor, node: NodeSpec) => Promise<void>,
  ): Promise<void> {
    const failures: string[] = [];
    await Promise.all(
      nodes.map(async node => {
        try {
          await using executor = await this.connect(node);
          await doing(executor, node);
        } catch (error) {
          failures.push(`${node.name}: ${messageOf(error)}`);
        }
      }),
    );
    this.#deps.signal.throwIfAborted();
    if (failures.length > 0) throw conflict('hosts', this.spec.name, failures.sort().join('\n'));
  }
}
