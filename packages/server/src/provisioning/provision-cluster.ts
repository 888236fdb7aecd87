/**
 * Keeps one cluster on hosts as it shall be, while this replica holds its lease: looks at what is asked for and what is there, has it
 * decided what is to be done, does it, and looks again. Whatever ends it, the next look begins where the hosts are.
 */
import type { Cluster, ManagedNode } from '@drover/api';
import { findCondition, isTrue, keyOf, type Log, messageOf, sleep } from '@drover/base';
import { type Bundle, type ClusterSpec, dueCertificates } from '@drover/engine';
import { defaultTokenName, tokenSecretName } from '../clusters/registration-token.ts';
import { nodeNameOf } from '../connect/host-admission.ts';
import { forceAnnotation } from '../controllers/cluster-cleanup.ts';
import type { Caches } from '../resources/index.ts';
import { carryOutBackups, isAskedFor, tellRecurring } from './backups.ts';
import { chooseBundle, findBundles, versionOf } from './bundles.ts';
import { type CarryOutDeps, carryOut, deployingOf, type Work } from './carry-out.ts';
import { ClusterStatus, engineFinalizer, isOnHosts, phaseOf } from './cluster-status.ts';
import { joinSecrets } from './config-secrets.ts';
import { decide, type Failure, waitsForHosts } from './decide.ts';
import { deployDigest } from './deploy-agents.ts';
import { readEngineConfig, requests } from './engine-config.ts';
import { EngineMemory } from './engine-memory.ts';
import { EngineRun } from './engine-run.ts';
import type { HostTunnels } from './host-tunnels.ts';
import { leaveHost } from './leave-hosts.ts';
import { bundlePath } from './node-command.ts';
import { type HostPlan, isRegistered, planHosts } from './plan-hosts.ts';
import { removeFromHosts } from './remove-cluster.ts';
import { keepSshNodes } from './ssh-nodes.ts';
import { Timeline } from './timeline.ts';
import { withEndpoint } from './told-conditions.ts';

export interface ProvisioningDeps extends Omit<CarryOutDeps, 'status' | 'signal'> {
  readonly tunnels: HostTunnels;
  readonly bundleDirs: readonly string[];
  readonly log: Log;
}

const lookEveryMs = 300_000;

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
  #failure: Failure | undefined;

  constructor(deps: ProvisioningDeps, clusterId: string, signal: AbortSignal) {
    this.#deps = deps;
    this.#id = clusterId;
    this.#signal = signal;
    this.#status = new ClusterStatus(deps.resources, clusterId);
  }

  async run(): Promise<void> {
    const { log } = this.#deps;
    wakeOnChanges({ ...this.#deps, clusterId: this.#id, signal: this.#signal, wake: () => this.#wake() });
    for (let failures = 0; !this.#signal.aborted; ) {
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      let afterMs: number;
      try {
        afterMs = (await this.#look()) ?? lookEveryMs;
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

  /** What is there and what is asked for, and the steps between; resolves with the ms until the next look, where it is soon. */
  async #look(): Promise<number | undefined> {
    const { resources, tunnels } = this.#deps;
    const cluster = await resources.find('cluster', this.#id);
    if (!cluster || !isOnHosts(cluster)) return undefined;
    const common = { resources, tunnels, status: this.#status, signal: this.#signal };
    if (cluster.metadata.deletionTimestamp) return removeFromHosts(cluster, common);
    await this.#hold(cluster);
    const nodes = (await resources.list('node', { namespace: this.#id })).items;
    const plan = planHosts(cluster, nodes, { isConnected: name => tunnels.isConnected(this.#id, name) });
    const isMade = isTrue(cluster.status?.conditions, 'Provisioned');
    const waiting = waitsForHosts(plan, { isMade, nodes, now: Date.now() });
    if (waiting) {
      await this.#tell(cluster, waiting.message);
      return waiting.afterMs ?? (await this.#leave(plan.leaving));
    }
    const memory = await EngineMemory.open(resources, this.#id);
    const read = await this.#read(cluster, plan, memory);
    if ('problem' in read) {
      await this.#status.set([{ type: phaseOf(cluster), status: 'False', reason: 'Error', message: read.problem }]);
      return Math.min((await this.#leave(plan.leaving)) ?? lookEveryMs, 60_000);
    }
    // They are told of as all others are, from the first look on.
    const made = await keepSshNodes(resources, this.#id, { spec: read.spec, nodes });
    const work = await this.#begin(cluster, { ...read, nodes: [...nodes, ...made], plan, memory });
    const waitMs = await this.#bringAbout(work, isMade);
    if (waitMs !== undefined) return waitMs;
    const leftMs = await this.#leave(plan.leaving);
    if (isMade) await this.#careForBackups(work);
    return leftMs;
  }

  /** Undefined once it is as it shall be, else the ms until it is looked at again. */
  async #bringAbout(work: Work, isMade: boolean): Promise<number | undefined> {
    const { memory, digest, plan, request, spec, run } = work;
    const deps = { ...this.#deps, status: this.#status, signal: this.#signal };
    const deploying = deployingOf(work, deps);
    const now = Date.now();
    const decision = decide({
      ...{ plan, digest, progress: memory.progress, isMade, request, failure: this.#failure, now },
      ending: Object.keys(dueCertificates(spec, run.state?.certificates ?? {})),
      needsAgents: deploying !== undefined && deployDigest(deps, deploying) !== memory.progress.agent,
    });
    if (decision.kind === 'rest') {
      // Who takes back what could not be done has nothing done.
      if (isTold(work.cluster)) await this.#status.set([{ type: 'Updated', status: 'True' }]);
      return undefined;
    }
    if (decision.kind === 'wait') {
      await this.#tell(work.cluster, decision.message);
      return decision.afterMs;
    }
    this.#failure = await carryOut(work, decision, { ...deps, before: this.#failure });
    return this.#failure && Math.max(this.#failure.retryAt - Date.now(), 0);
  }

  async #begin(cluster: Cluster, parts: Pick<Work, 'nodes' | 'plan' | 'memory' | 'spec' | 'bundle'>): Promise<Work> {
    const { plan, bundle, nodes } = parts;
    const timeline = await Timeline.open(this.#deps.resources, this.#id);
    const run = new EngineRun({
      ...{ ...parts, cluster, timeline, tunnels: this.#deps.tunnels },
      isRegistered: name => nodes.some(node => isRegistered(node) && nodeNameOf(node) === name),
      originOf: name => this.#originOf(nodes.find(node => nodeNameOf(node) === name)),
      doing: message => this.#status.doing(phaseOf(cluster), message),
      signal: this.#signal,
    });
    const digest = `${plan.digest}:${bundle.manifest.id.slice(0, 12)}`;
    const request = requests.find(one => cluster.spec?.rancherKubernetesEngineConfig?.[one]);
    return { ...parts, cluster, timeline, run, digest, request };
  }

  /** The way by which it registered is one that it reaches. */
  #originOf(node: ManagedNode | undefined): { readonly url: string; readonly ca?: string } | undefined {
    const server = node?.status?.hostIdentity?.['server'];
    const ca = this.#deps.setting('cacerts').trim();
    return server ? { url: `${server}${bundlePath}`, ...(ca ? { ca: `${ca}\n` } : {}) } : undefined;
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

  async #tell(cluster: Cluster, message: string | undefined): Promise<void> {
    if (message === undefined) return;
    await this.#status.set([{ type: phaseOf(cluster), status: 'Unknown', reason: 'Waiting', message }]);
  }

  async #read(
    cluster: Cluster,
    plan: HostPlan,
    { progress }: EngineMemory,
  ): Promise<{ readonly problem: string } | { readonly spec: ClusterSpec; readonly bundle: Bundle }> {
    const { spec: wanted } = cluster;
    const config = joinSecrets({
      config: withEndpoint(cluster, wanted?.rancherKubernetesEngineConfig ?? {}),
      secrets: wanted?.engineSecrets ?? {},
    });
    const name = wanted?.displayName || this.#id;
    const { spec, problems } = await readEngineConfig(config, { name, hosts: plan.hosts });
    if (problems.length > 0) {
      const all = problems.map(({ field, message }) => `${field}: ${message}`).join('\n');
      return { problem: all.slice(0, 2000) };
    }
    try {
      const bundles = await findBundles(this.#deps.bundleDirs);
      const version = spec.kubernetesVersion ?? progress.version;
      return { spec, bundle: chooseBundle(bundles, version, this.#deps.setting('k8s-version')) };
    } catch (error) {
      return { problem: messageOf(error) };
    }
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
}

/** Whether something is said of a change. */
const isTold = ({ status }: Cluster): boolean =>
  (findCondition(status?.conditions, 'Updated')?.status ?? 'True') !== 'True';

interface Waking {
  readonly caches: Caches;
  readonly tunnels: HostTunnels;
  readonly clusterId: string;
  readonly wake: () => void;
  readonly signal: AbortSignal;
}

/** Wakes for whatever a look would see otherwise than before. */
function wakeOnChanges({ caches, tunnels, clusterId, wake, signal }: Waking): void {
  type Seen = { readonly metadata: { readonly generation?: number; readonly deletionTimestamp?: string } } | undefined;
  const differs = (before: Seen, after: Seen) =>
    before?.metadata.generation !== after?.metadata.generation ||
    before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp;
  const isForced = (cluster: Cluster | undefined) => cluster?.metadata.annotations?.[forceAnnotation];
  const look = (before: Cluster | undefined, after: Cluster | undefined) => {
    if (differs(before, after) || isForced(before) !== isForced(after)) wake();
  };
  caches.cluster.subscribe(({ before, after }) => look(before, after), signal, { key: clusterId });
  for (const cache of [caches.node, caches.etcdBackup])
    cache.subscribe(({ before, after }) => differs(before, after) && wake(), signal, { namespace: clusterId });
  const token = keyOf({ name: tokenSecretName(defaultTokenName), namespace: clusterId });
  caches.secret.subscribe(() => wake(), signal, { key: token });
  tunnels.subscribe(changed => {
    if (changed === clusterId) wake();
  }, signal);
}
