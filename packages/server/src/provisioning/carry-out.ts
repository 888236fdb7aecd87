/**
 * Carries out what was decided for a cluster on hosts: the engine's run with what an action asked for, then the cluster's own agents; how
 * far it is and what went wrong is told as it happens.
 */
import type { Cluster, ManagedNode } from '@drover/api';
import { findCondition, isTrue, messageOf } from '@drover/base';
import { type Bundle, type ClusterSpec, type EngineState, renewalOf, type UpOptions } from '@drover/engine';
import { defaultTokenName, tokenSecretName } from '../clusters/registration-token.ts';
import { nodeNameOf } from '../connect/host-admission.ts';
import type { Caches, Resources } from '../resources/index.ts';
import type { AgentArchives } from './agent-archives.ts';
import { versionOf } from './bundles.ts';
import { type ClusterStatus, phaseOf, tellNodes } from './cluster-status.ts';
import { type Decision, type Failure, failedAgain, type Request } from './decide.ts';
import { type Deploying, deployAgents, deployDigest } from './deploy-agents.ts';
import type { EngineMemory } from './engine-memory.ts';
import type { EngineRun } from './engine-run.ts';
import { type HostPlan, isRegistered } from './plan-hosts.ts';
import { forgetSshNodes } from './ssh-nodes.ts';
import type { Timeline } from './timeline.ts';
import { knownOf, reachedBy, renewedBy, renewedType } from './told-conditions.ts';

/** One cluster, with everything that a run of the engine takes. */
export interface Work {
  readonly cluster: Cluster;
  readonly nodes: readonly ManagedNode[];
  readonly plan: HostPlan;
  readonly digest: string;
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly memory: EngineMemory;
  readonly timeline: Timeline;
  readonly run: EngineRun;
  readonly request: Request | undefined;
}

export interface CarryOutDeps {
  readonly resources: Resources;
  readonly caches: Caches;
  readonly archives: AgentArchives;
  readonly setting: (name: string) => string;
  readonly serverKey: string;
  /** Where agents reach this server, where no setting says it and no host has. */
  readonly ownUrl: () => string;
  /** Waits for a turn: many clusters may want to be made at once. */
  readonly turn: (signal: AbortSignal) => Promise<AsyncDisposable>;
  readonly status: ClusterStatus;
  readonly signal: AbortSignal;
}

const madeNode = { type: 'Provisioned', reason: 'Engine', message: '' } as const;
const isMadeNode = (node: ManagedNode): boolean => isTrue(node.status?.conditions, 'Provisioned');

/** Undefined once it is done, else that it failed; why is told. `before`: what had gone wrong before. */
export async function carryOut(
  work: Work,
  { what, operation, up }: Extract<Decision, { kind: 'work' }>,
  { before, ...deps }: CarryOutDeps & { readonly before: Failure | undefined },
): Promise<Failure | undefined> {
  const { cluster, nodes, digest, spec, bundle, memory, timeline, run } = work;
  const { resources, status, signal } = deps;
  const phase = phaseOf(cluster);
  await using _ = await deps.turn(signal);
  await status.set([{ type: phase, status: 'Unknown', reason: 'Working', message: 'looking at the hosts' }]);
  const coming = nodes.filter(node => !node.spec?.imported && !node.metadata.deletionTimestamp);
  await tellNodes(resources, coming, node =>
    isMadeNode(node) ? undefined : { ...madeNode, status: 'Unknown', message: 'being made a node' },
  );
  timeline.begin(operation);
  try {
    const leaveOut = operation === 'renew';
    // The new ones are kept before any host has them: whoever is killed then knows that hosts wait for theirs.
    if (leaveOut) await memory.saveProgress({ behind: spec.nodes.map(({ name }) => name) });
    const { state, leftOut } = up
      ? await bringUp(work, resources, { leaveOut })
      : { state: run.state!, leftOut: new Map<string, string>() };
    if (leftOut.size > 0) return await tellLeftOut(work, leftOut, { ...deps, what, before, state });
    const deploying = deployingOf(work, deps);
    if (!deploying) throw new Error('the cluster has no registration token yet');
    await deployAgents(deps, { ...deploying, state });
    await memory.saveProgress({
      applied: digest,
      agent: deployDigest(deps, deploying),
      version: versionOf(bundle),
      nodes: spec.nodes.map(({ name }) => name),
      behind: [],
    });
    await timeline.end();
    await status.settled();
    const caughtUp = findCondition(cluster.status?.conditions, renewedType) ? [renewedBy(new Map())] : [];
    await status.set([...reachedBy(cluster, phase), ...caughtUp], knownOf(spec, state));
    await tellNodes(resources, coming, () => ({ ...madeNode, status: 'True' }));
    await forgetSshNodes(resources, cluster.metadata.name, { spec, nodes });
    return undefined;
  } catch (error) {
    timeline.failed(messageOf(error));
    await timeline.end().catch(() => undefined);
    await status.settled();
    if (signal.aborted) throw error;
    const now = Date.now();
    const failure = failedAgain(before, what, now);
    await status.set([{ type: phase, status: 'False', reason: 'Error', message: tellFailure(error, failure, now) }]);
    const message = messageOf(error).slice(0, 2000);
    const failedOn = coming.filter(node => message.includes(nodeNameOf(node)));
    await tellNodes(resources, failedOn, node =>
      isMadeNode(node) ? undefined : { ...madeNode, status: 'False', reason: 'Error', message },
    );
    return failure;
  }
}

function tellFailure(error: unknown, { times, retryAt }: Failure, now: number): string {
  const tried = times === 1 ? 'once' : `${times} times`;
  return `${messageOf(error).slice(0, 2000)} (tried ${tried}, the next time in ${Math.round((retryAt - now) / 1000)} s)`;
}

/** What is to be deployed into the cluster; undefined while there is nothing to deploy it with. */
export function deployingOf(
  { cluster, nodes, spec, run, timeline }: Work,
  { caches, setting, ownUrl, signal }: Pick<CarryOutDeps, 'caches' | 'setting' | 'ownUrl' | 'signal'>,
): Omit<Deploying, 'state'> | undefined {
  const token = caches.secret.get(tokenSecretName(defaultTokenName), cluster.metadata.name)?.stringData?.['token'];
  if (token === undefined) return undefined;
  const told = nodes.map(({ status }) => status?.hostIdentity?.['server']).find(Boolean);
  const serverUrl = (setting('server-url') || told || ownUrl()).replace(/\/+$/, '');
  const controls = spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
  const nodeAgents = controls.every(({ name }) => !nodes.some(one => isRegistered(one) && nodeNameOf(one) === name));
  return { cluster, run, token, serverUrl, nodeAgents, timeline, signal };
}

/**
 * Certificates are new on all hosts but these. Which ones is said, and remembered, so that they get theirs when they are back: those with an
 * agent as soon as it connects, others when they are tried again.
 */
async function tellLeftOut(
  { cluster, plan, spec, memory, timeline }: Work,
  leftOut: ReadonlyMap<string, string>,
  told: Pick<CarryOutDeps, 'status'> & {
    readonly what: string;
    readonly before: Failure | undefined;
    readonly state: EngineState;
  },
): Promise<Failure | undefined> {
  const { status, what, before, state } = told;
  const names = [...leftOut.keys()].sort();
  const said = findCondition(cluster.status?.conditions, renewedType);
  for (const name of names)
    if (said?.status !== 'False' || !said.message?.includes(`${name} (`))
      timeline.warn(
        `${name}: it was left out when certificates were renewed, and gets its own when it is back: ${leftOut.get(name)}`,
      );
  await memory.saveProgress({ behind: names });
  await timeline.end();
  await status.settled();
  await status.set([...reachedBy(cluster, phaseOf(cluster)), renewedBy(leftOut)], knownOf(spec, state));
  return names.every(name => plan.awayHosts.includes(name)) ? undefined : failedAgain(before, what, Date.now());
}

/** With what an action asked for, which is taken out of the config once it is done. */
async function bringUp(
  { cluster, run, request }: Work,
  resources: Resources,
  { leaveOut }: Pick<UpOptions, 'leaveOut'>,
): Promise<Reached> {
  const clusterId = cluster.metadata.name;
  const config = cluster.spec?.rancherKubernetesEngineConfig ?? {};
  const asked = (config[request ?? ''] ?? {}) as Readonly<Record<string, unknown>>;
  const backups = request === 'restore' ? (await resources.list('etcdBackup', { namespace: clusterId })).items : [];
  const from = backups.find(({ spec }) => spec?.filename === asked['snapshotName']);
  const reached = await upAsAsked(run, { request, asked, madeUnder: from?.status?.kubernetesVersion, leaveOut });
  if (request === undefined) return reached;
  await resources.modify('cluster', { name: clusterId }, seen => {
    const { [request]: done, ...rest } = seen.spec?.rancherKubernetesEngineConfig ?? {};
    const isSame = JSON.stringify(done) === JSON.stringify(config[request]);
    return isSame ? { ...seen, spec: { ...seen.spec, rancherKubernetesEngineConfig: rest } } : undefined;
  });
  return reached;
}

type Reached = Awaited<ReturnType<EngineRun['up']>>;

interface Asked extends Pick<UpOptions, 'leaveOut'> {
  readonly request: Request | undefined;
  readonly asked: Readonly<Record<string, unknown>>;
  readonly madeUnder: string | undefined;
}

async function upAsAsked(run: EngineRun, { request, asked, madeUnder, leaveOut }: Asked): Promise<Reached> {
  if (request === 'rotateEncryptionKey') return run.up({ rotateEncryptionKey: true });
  if (request === 'restore') await run.restoreSnapshot(String(asked['snapshotName'] ?? ''), madeUnder);
  if (request !== 'rotateCertificates') return run.up({ leaveOut });
  if (asked['caCertificates']) return run.up({ rotateAuthorities: true });
  const services = [asked['services'] ?? []].flat().map(String);
  return run.up({ renew: renewalOf(services.length > 0 ? services : undefined, 'services') });
}
