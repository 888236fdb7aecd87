/**
 * Keeps one cluster on hosts as it shall be, while this replica holds its lease: looks at what is asked for, waits for what is missing and
 * says so, runs the engine, and looks again. Whatever ends it, the next look begins where the hosts are.
 */
import type { Cluster, ManagedNode } from '@drover/api';
import { findCondition, ignoreNotFound, isTrue, type Log, messageOf, type NewCondition, sleep } from '@drover/base';
import { type Bundle, type ClusterSpec, certificateEnds, type EngineState, renewalOf } from '@drover/engine';
import { defaultTokenName, tokenSecretName } from '../clusters/registration-token.ts';
import { nodeNameOf } from '../connect/host-admission.ts';
import { forceAnnotation, patienceMs } from '../controllers/cluster-cleanup.ts';
import type { Caches, Resources } from '../resources/index.ts';
import type { AgentArchives } from './agent-archives.ts';
import { carryOutBackups, isAskedFor, tellRecurring } from './backups.ts';
import { chooseBundle, findBundles, versionOf } from './bundles.ts';
import { ClusterStatus, engineFinalizer, isOnHosts, phaseOf, tellNodes } from './cluster-status.ts';
import { joinSecrets } from './config-secrets.ts';
import { type Deploying, deployAgents, deployDigest } from './deploy-agents.ts';
import { readEngineConfig, requests, standIn } from './engine-config.ts';
import { EngineMemory } from './engine-memory.ts';
import { EngineRun } from './engine-run.ts';
import type { HostTunnels } from './host-tunnels.ts';
import { leaveHost } from './leave-hosts.ts';
import { type HostPlan, isRegistered, planHosts } from './plan-hosts.ts';
import { forgetSshNodes, keepSshNodes } from './ssh-nodes.ts';
import { Timeline } from './timeline.ts';

export interface ProvisioningDeps {
  readonly resources: Resources;
  readonly caches: Caches;
  readonly tunnels: HostTunnels;
  readonly archives: AgentArchives;
  readonly bundleDirs: readonly string[];
  readonly setting: (name: string) => string;
  readonly serverKey: string;
  /** Where agents reach this server, where no setting says it and no host has. */
  readonly ownUrl: () => string;
  /** Waits for a turn: many clusters may want to be made at once. */
  readonly turn: (signal: AbortSignal) => Promise<AsyncDisposable>;
  readonly log: Log;
}

const lookEveryMs = 300_000;
/** Certificates near their end are renewed by a run that has nothing else to do. */
const renewEveryMs = 24 * 3600_000;

/** Several hosts are told one after the other: who waits for them makes a cluster of all of them at once. */
const settleMs = 5000;

/** How long ago the last host registered. */
const sinceLast = (nodes: readonly ManagedNode[]): number =>
  Date.now() -
  Math.max(0, ...nodes.filter(isRegistered).map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '')));

/** Runs until the signal aborts. */
export async function runProvisioning(deps: ProvisioningDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  await new Provisioning(deps, clusterId, signal).run();
}

class Provisioning {
  readonly #deps: ProvisioningDeps;
  readonly #id: string;
  readonly #signal: AbortSignal;
  readonly #status: ClusterStatus;
  #wake: () => void = () => undefined;
  #failed: { readonly digest: string; readonly times: number; readonly retryAt: number } | undefined;
  #ranAt = Date.now();

  constructor(deps: ProvisioningDeps, clusterId: string, signal: AbortSignal) {
    this.#deps = deps;
    this.#id = clusterId;
    this.#signal = signal;
    this.#status = new ClusterStatus(deps.resources, clusterId);
  }

  async run(): Promise<void> {
    const { log } = this.#deps;
    this.#listen();
    for (let failures = 0; !this.#signal.aborted; ) {
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      let afterMs: number;
      try {
        afterMs = await this.#look();
        failures = 0;
      } catch (error) {
        if (this.#signal.aborted) return;
        log.warn({ cluster: this.#id, reason: messageOf(error) }, 'a cluster on hosts can not be looked after now');
        afterMs = Math.min(2000 * 2 ** failures++, 60_000);
      }
      const rest = new AbortController();
      const both = AbortSignal.any([rest.signal, this.#signal]);
      await Promise.race([woken, sleep(afterMs, both).catch(() => undefined)]);
      rest.abort();
    }
  }

  #listen(): void {
    const { caches, tunnels } = this.#deps;
    const signal = this.#signal;
    type Seen =
      | { readonly metadata: { readonly generation?: number; readonly deletionTimestamp?: string } }
      | undefined;
    const differs = (before: Seen, after: Seen) =>
      before?.metadata.generation !== after?.metadata.generation ||
      before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp;
    const isForced = (cluster: Cluster | undefined) => cluster?.metadata.annotations?.[forceAnnotation];
    caches.cluster.subscribe(({ key, before, after }) => {
      if (key === this.#id && (differs(before, after) || isForced(before) !== isForced(after))) this.#wake();
    }, signal);
    for (const cache of [caches.node, caches.etcdBackup]) {
      cache.subscribe(({ before, after }) => {
        if ((after ?? before)?.metadata.namespace === this.#id && differs(before, after)) this.#wake();
      }, signal);
    }
    caches.secret.subscribe(({ before, after }) => {
      const { name, namespace } = (after ?? before)!.metadata;
      if (namespace === this.#id && name === tokenSecretName(defaultTokenName)) this.#wake();
    }, signal);
    tunnels.subscribe(clusterId => {
      if (clusterId === this.#id) this.#wake();
    }, signal);
  }

  /** What is there and what is asked for, and the steps between; resolves with the ms until the next look. */
  async #look(): Promise<number> {
    const { resources, tunnels } = this.#deps;
    const cluster = await resources.find('cluster', this.#id);
    if (!cluster || !isOnHosts(cluster)) return lookEveryMs;
    if (cluster.metadata.deletionTimestamp) return this.#remove(cluster);
    await this.#hold(cluster);
    const nodes = (await resources.list('node', { namespace: this.#id })).items;
    const plan = planHosts(cluster, nodes, { isConnected: name => tunnels.isConnected(this.#id, name) });
    const memory = await EngineMemory.open(resources, this.#id);
    const settlesMs = isTrue(cluster.status?.conditions, 'Provisioned') ? 0 : settleMs - sinceLast(nodes);
    if (plan.missing === undefined && settlesMs > 0) {
      await this.#waits(cluster, 'waiting a moment for more hosts');
      return settlesMs;
    }
    if (plan.missing !== undefined) {
      await this.#waits(cluster, plan.missing);
      return (await this.#leave(plan.leaving)) ?? lookEveryMs;
    }
    const { problem, spec, bundle } = await this.#read(cluster, plan, memory);
    if (!spec || !bundle) {
      await this.#status.set([{ type: phaseOf(cluster), status: 'False', reason: 'Error', message: problem ?? '' }]);
      return Math.min((await this.#leave(plan.leaving)) ?? lookEveryMs, 60_000);
    }
    await keepSshNodes(resources, this.#id, { spec, nodes });
    const digest = `${plan.digest}:${bundle.manifest.id.slice(0, 12)}`;
    const { applied, nodes: there = [] } = memory.progress;
    const request = requests.find(one => cluster.spec?.rancherKubernetesEngineConfig?.[one]);
    const isLeaving = plan.leaving.some(node => there.includes(nodeNameOf(node)));
    const isDue = Date.now() - this.#ranAt > renewEveryMs;
    const needsUp = applied !== digest || request !== undefined || isLeaving || isDue;
    const timeline = await Timeline.open(resources, this.#id);
    const run = new EngineRun({
      ...{ cluster, spec, bundle, memory, timeline, tunnels },
      isRegistered: name => nodes.some(node => isRegistered(node) && nodeNameOf(node) === name),
      doing: message => this.#status.doing(phaseOf(cluster), message),
      signal: this.#signal,
    });
    const work: Work = { cluster, nodes, plan, digest, spec, bundle, memory, timeline, run, request };
    const deploying = this.#deploying(work);
    const needsAgents = deploying !== undefined && deployDigest(this.#deps, deploying) !== memory.progress.agent;
    if (needsUp || needsAgents) {
      if (plan.away !== undefined) {
        await this.#waits(cluster, plan.away);
        return 15_000;
      }
      const failed = this.#failed?.digest === digest ? this.#failed : undefined;
      if (failed && failed.retryAt > Date.now()) return failed.retryAt - Date.now();
      if (!(await this.#carryOut(work, needsUp))) return (this.#failed?.retryAt ?? Date.now()) - Date.now();
    }
    const leftMs = await this.#leave(plan.leaving);
    if (isTrue(cluster.status?.conditions, 'Provisioned')) await this.#careForBackups(work);
    return leftMs ?? lookEveryMs;
  }

  async #careForBackups({ cluster, bundle, run, timeline, plan }: Work): Promise<void> {
    const { resources } = this.#deps;
    const { state } = run;
    if (!state || plan.away !== undefined || run.spec.etcd.external) return;
    const backups = (await resources.list('etcdBackup', { namespace: this.#id })).items;
    const deps = { resources, cluster, run, state, version: versionOf(bundle), timeline, signal: this.#signal };
    if (isAskedFor(backups)) {
      timeline.begin('snapshots');
      await carryOutBackups(backups, deps).finally(() => timeline.end());
    }
    await tellRecurring((await resources.list('etcdBackup', { namespace: this.#id })).items, deps);
  }

  async #hold(cluster: Cluster): Promise<void> {
    if (cluster.metadata.finalizers?.includes(engineFinalizer)) return;
    await this.#deps.resources.modify('cluster', { name: this.#id }, seen =>
      seen.metadata.deletionTimestamp
        ? undefined
        : {
            ...seen,
            metadata: { ...seen.metadata, finalizers: [...(seen.metadata.finalizers ?? []), engineFinalizer] },
          },
    );
  }

  async #waits(cluster: Cluster, message: string): Promise<void> {
    await this.#status.set([{ type: phaseOf(cluster), status: 'Unknown', reason: 'Waiting', message }]);
  }

  async #read(
    cluster: Cluster,
    plan: HostPlan,
    { progress }: EngineMemory,
  ): Promise<{ readonly problem?: string; readonly spec?: ClusterSpec; readonly bundle?: Bundle }> {
    const { spec: wanted } = cluster;
    const config = joinSecrets({
      config: withEndpoint(cluster, wanted?.rancherKubernetesEngineConfig ?? {}),
      secrets: wanted?.engineSecrets ?? {},
    });
    const name = wanted?.displayName || this.#id;
    const { spec, problems } = await readEngineConfig(config, { name, hosts: plan.hosts });
    if (problems.length > 0)
      return {
        problem: problems
          .map(({ field, message }) => `${field}: ${message}`)
          .join('\n')
          .slice(0, 2000),
      };
    try {
      const bundles = await findBundles(this.#deps.bundleDirs);
      const bundle = chooseBundle(
        bundles,
        spec.kubernetesVersion ?? progress.version,
        this.#deps.setting('k8s-version'),
      );
      return { spec, bundle };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  /** Undefined while there is nothing to deploy it with. */
  #deploying({ cluster, nodes, spec, run, timeline }: Work): Omit<Deploying, 'state'> | undefined {
    const { caches, setting, ownUrl } = this.#deps;
    const token = caches.secret.get(tokenSecretName(defaultTokenName), this.#id)?.stringData?.['token'];
    if (token === undefined) return undefined;
    const told = nodes.map(({ status }) => status?.hostIdentity?.['server']).find(Boolean);
    const serverUrl = (setting('server-url') || told || ownUrl()).replace(/\/+$/, '');
    const controls = spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
    const nodeAgents = controls.every(({ name }) => !nodes.some(one => isRegistered(one) && nodeNameOf(one) === name));
    return { cluster, run, token, serverUrl, nodeAgents, timeline, signal: this.#signal };
  }

  /** Whether it went well; why not is told. */
  async #carryOut(work: Work, needsUp: boolean): Promise<boolean> {
    const { cluster, nodes, digest, spec, bundle, memory, timeline, run, request } = work;
    const phase = phaseOf(cluster);
    await using _ = await this.#deps.turn(this.#signal);
    await this.#status.set([{ type: phase, status: 'Unknown', reason: 'Working', message: 'looking at the hosts' }]);
    const coming = nodes.filter(node => !node.spec?.imported && !node.metadata.deletionTimestamp);
    await tellNodes(this.#deps.resources, coming, node =>
      isTrue(node.status?.conditions, 'Provisioned')
        ? undefined
        : { ...madeNode, status: 'Unknown', message: 'being made a node' },
    );
    timeline.begin(request ?? (phase === 'Provisioned' ? 'provision' : needsUp ? 'update' : 'agents'));
    try {
      const state = needsUp ? await this.#bringUp(work) : run.state!;
      const deploying = this.#deploying(work);
      if (!deploying) throw new Error('the cluster has no registration token yet');
      await deployAgents(this.#deps, { ...deploying, state });
      await memory.saveProgress({
        applied: digest,
        agent: deployDigest(this.#deps, deploying),
        version: versionOf(bundle),
        nodes: spec.nodes.map(({ name }) => name),
      });
      this.#failed = undefined;
      this.#ranAt = Date.now();
      await timeline.end();
      await this.#status.settled();
      await this.#status.set(reachedBy(cluster, phase), knownOf(spec, state));
      await tellNodes(this.#deps.resources, coming, () => ({ ...madeNode, status: 'True' }));
      await forgetSshNodes(this.#deps.resources, this.#id, { spec, nodes });
      return true;
    } catch (error) {
      timeline.failed(messageOf(error));
      await timeline.end().catch(() => undefined);
      await this.#status.settled();
      if (this.#signal.aborted) throw error;
      const times = this.#failed?.digest === digest ? this.#failed.times + 1 : 1;
      const retryMs = Math.min(30_000 * 2 ** (times - 1), 600_000);
      this.#failed = { digest, times, retryAt: Date.now() + retryMs };
      const message = messageOf(error).slice(0, 2000);
      const again = `${message} (tried ${times === 1 ? 'once' : `${times} times`}, the next time in ${Math.round(retryMs / 1000)} s)`;
      await this.#status.set([{ type: phase, status: 'False', reason: 'Error', message: again }]);
      const failedOn = coming.filter(node => message.includes(nodeNameOf(node)));
      await tellNodes(this.#deps.resources, failedOn, node =>
        isTrue(node.status?.conditions, 'Provisioned')
          ? undefined
          : { ...madeNode, status: 'False', reason: 'Error', message },
      );
      return false;
    }
  }

  /** With what an action asked for, which is taken out of the config once it is done. */
  async #bringUp({ cluster, run, request }: Work): Promise<EngineState> {
    const config = cluster.spec?.rancherKubernetesEngineConfig ?? {};
    const asked = (config[request ?? ''] ?? {}) as Readonly<Record<string, unknown>>;
    let state: EngineState;
    if (request === 'restore') {
      await run.restoreSnapshot(String(asked['snapshotName'] ?? ''));
      state = await run.up();
    } else if (request === 'rotateCertificates') {
      const services = [asked['services'] ?? []].flat().map(String);
      state = asked['caCertificates']
        ? await run.up({ rotateAuthorities: true })
        : await run.up({ renew: renewalOf(services.length > 0 ? services : undefined, 'services') });
    } else state = await run.up(request === 'rotateEncryptionKey' ? { rotateEncryptionKey: true } : {});
    if (request === undefined) return state;
    await this.#deps.resources.modify('cluster', { name: this.#id }, seen => {
      const { [request]: done, ...rest } = seen.spec?.rancherKubernetesEngineConfig ?? {};
      const isSame = JSON.stringify(done) === JSON.stringify(config[request]);
      return isSame ? { ...seen, spec: { ...seen.spec, rancherKubernetesEngineConfig: rest } } : undefined;
    });
    return state;
  }

  /** Lets go of nodes that are out of the cluster by now; resolves with the ms until the next try, where one can't be let go. */
  async #leave(leaving: readonly ManagedNode[]): Promise<number | undefined> {
    if (leaving.length === 0) return undefined;
    const { resources, tunnels } = this.#deps;
    const timeline = await Timeline.open(resources, this.#id);
    timeline.begin('leave');
    const common = { resources, tunnels, timeline, clusterId: this.#id, signal: this.#signal };
    const left = await Promise.all(
      leaving.map(node => leaveHost(node, common, { since: node.metadata.deletionTimestamp })),
    );
    await timeline.end();
    return left.every(cause => cause === undefined) ? undefined : 10_000;
  }

  /** The cluster itself goes: all of its hosts are cleaned, side by side. */
  async #remove(cluster: Cluster): Promise<number> {
    const { resources, tunnels } = this.#deps;
    if (!cluster.metadata.finalizers?.includes(engineFinalizer)) return lookEveryMs;
    const nodes = (await resources.list('node', { namespace: this.#id })).items;
    const timeline = await Timeline.open(resources, this.#id);
    timeline.begin('remove');
    const force = cluster.metadata.annotations?.[forceAnnotation] === 'true';
    const since = cluster.metadata.deletionTimestamp;
    const common = { resources, tunnels, timeline, clusterId: this.#id, signal: this.#signal };
    const registered = nodes.filter(isRegistered);
    const left = (await Promise.all(registered.map(node => leaveHost(node, common, { since, force })))).filter(
      cause => cause !== undefined,
    );
    left.push(...(await this.#cleanSshHosts(cluster, timeline)));
    await timeline.end();
    const isGivenUp = force || Date.now() - Date.parse(since ?? '') > patienceMs;
    if (left.length > 0 && !isGivenUp) {
      const message = `waiting to clean the hosts: ${left.join('; ')}`.slice(0, 2000);
      await this.#status.set([{ type: 'Removed', status: 'Unknown', reason: 'Cleanup', message }]);
      return 10_000;
    }
    await ignoreNotFound(
      resources.modify('cluster', { name: this.#id }, seen => {
        const finalizers = (seen.metadata.finalizers ?? []).filter(one => one !== engineFinalizer);
        return { ...seen, metadata: { ...seen.metadata, finalizers } };
      }),
    );
    return lookEveryMs;
  }

  /** Why which of the hosts that are reached by SSH could not be cleaned. */
  async #cleanSshHosts(cluster: Cluster, timeline: Timeline): Promise<string[]> {
    const { spec: wanted } = cluster;
    const config = joinSecrets({
      config: wanted?.rancherKubernetesEngineConfig ?? {},
      secrets: wanted?.engineSecrets ?? {},
    });
    if (!Array.isArray(config['nodes']) || config['nodes'].length === 0) return [];
    const name = wanted?.displayName || this.#id;
    const { spec } = await readEngineConfig(config, { name, hosts: standIn(config) });
    const memory = await EngineMemory.open(this.#deps.resources, this.#id);
    const hosts = spec.nodes.filter(node => node.ssh.privateKey);
    const known = new Set(memory.state(spec)?.nodes.map(one => one.name));
    const begun = hosts.filter(host => known.has(host.name));
    const run = new EngineRun({
      ...{ cluster, spec, bundle: undefined as never, memory, timeline, tunnels: this.#deps.tunnels },
      isRegistered: () => false,
      doing: () => undefined,
      signal: this.#signal,
    });
    const failed = await run.clean(begun);
    return [...failed].map(([host, cause]) => `${host}: ${cause}`);
  }
}

interface Work {
  readonly cluster: Cluster;
  readonly nodes: readonly ManagedNode[];
  readonly plan: HostPlan;
  readonly digest: string;
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly memory: EngineMemory;
  readonly timeline: Timeline;
  readonly run: EngineRun;
  readonly request: (typeof requests)[number] | undefined;
}

const madeNode = { type: 'Provisioned', reason: 'Engine', message: '' } as const;

/** Where people shall reach the cluster's own API with tokens of this server, its kube-apiservers have to ask for them. */
function withEndpoint(cluster: Cluster, config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (cluster.spec?.localClusterAuthEndpoint?.enabled !== true) return config;
  const authentication = (config['authentication'] ?? {}) as Readonly<Record<string, unknown>>;
  const strategy = String(authentication['strategy'] || 'x509');
  if (strategy.split('|').includes('webhook')) return config;
  return { ...config, authentication: { ...authentication, strategy: `${strategy}|webhook` } };
}

/** Conditions of a cluster that is as it shall be: what is left is that its agent connects. */
function reachedBy(cluster: Cluster, phase: 'Provisioned' | 'Updated'): NewCondition[] {
  const isConnected = findCondition(cluster.status?.conditions, 'Connected')?.status === 'True';
  const agent: NewCondition[] = isConnected
    ? []
    : [
        {
          type: 'AgentDeployed',
          status: 'Unknown',
          reason: 'Waiting',
          message: 'waiting for the cluster’s agent to connect',
        },
      ];
  return [
    ...agent,
    { type: 'Provisioned', status: 'True' },
    ...(phase === 'Updated' ? [{ type: 'Updated', status: 'True' } as const] : []),
  ];
}

function knownOf(spec: ClusterSpec, { certificates }: EngineState): Partial<NonNullable<Cluster['status']>> {
  const [control] = spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
  const ends = Object.entries(certificateEnds(certificates));
  return {
    ...(control ? { apiEndpoint: `https://${control.address}:6443` } : {}),
    caCert: Buffer.from(certificates['kube-ca']!.cert).toString('base64'),
    certificatesExpiration: Object.fromEntries(ends.map(([name, expirationDate]) => [name, { expirationDate }])),
  };
}
