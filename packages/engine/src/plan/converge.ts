/** One round over all hosts: looks, plans and does what differs, from one state of the cluster's keys to another. */
import { conflict, internal, isUnavailable, unavailable } from '@drover/base';
import { KubeClient, namespaces } from '@drover/kube';
import type { ClusterSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdNodes } from '../node/host-input.ts';
import { wantedHost } from '../node/wanted-host.ts';
import { completeCertificates } from '../pki/cluster-certs.ts';
import { encryptionText } from '../pki/encryption.ts';
import { withTrusted } from '../pki/rotation.ts';
import type { ActionContext } from './actions.ts';
import { checkHosts } from './check-hosts.ts';
import { checkVersions, runningVersions, versionsOnHost } from './check-versions.ts';
import { apiConnection, connectAll, connectSome } from './connect-hosts.ts';
import { EtcdMembers, etcdConnection } from './etcd-members.ts';
import { lookAtHost } from './look.ts';
import { lookAtCluster } from './look-cluster.ts';
import { makePlan } from './plan.ts';
import { wantedRotation } from './rotate.ts';
import { runPlan } from './run.ts';
import type { Seen, SeenCluster, SeenHost, SeenMember } from './seen.ts';
import { keepStateCopies } from './state-copy.ts';
import { type Plan, stepCount } from './step.ts';
import type { EngineState, UpOptions, UpResult } from './up.ts';
import type { Wanted } from './wanted.ts';

type ConvergeOptions = Omit<UpOptions, 'state' | 'renew'> & { readonly state: EngineState };

export async function converge(options: ConvergeOptions): Promise<UpResult> {
  const { spec, bundle, signal } = options;
  await using undo = new AsyncDisposableStack();
  // Where the authorities are others than before, all that they have to sign is issued here.
  const issued = await completeCertificates(spec, options.state.certificates);
  let state: EngineState = { ...options.state, certificates: issued.certificates };
  const certificates = withTrusted(state);
  const encryption = encryptionText(state);

  const leaving = state.nodes.filter(({ name }) => !spec.nodes.some(node => node.name === name));
  const { executors, unreachable } = await connectAll(spec.nodes, options, undo);
  for (const [name, executor] of await connectSome(leaving, options, undo)) executors.set(name, executor);
  const hosts = await lookAtHosts(executors, signal);
  const isNew = spec.nodes.some(({ name }) => hosts.get(name)?.units.size === 0);
  const isRenewal = options.leaveOut && !isNew && leaving.length === 0 && takesNoOther(state);
  const away = isRenewal ? spec.nodes.filter(({ name }) => !executors.has(name)) : [];
  const leftOut = away.length > 0 ? unreachable : new Map<string, string>();
  if (isNew || unreachable.size > leftOut.size) {
    const tryWays = isNew && !options.trustWays;
    const { onWarning } = options;
    const lines = [...unreachable].map(([name, cause]) => `${name}: ${cause}`).sort();
    await checkHosts({ spec, bundle, certificates, executors, unreachable: lines, tryWays, onWarning, signal });
  }

  const client = undo.use(new KubeClient(apiConnection(spec, certificates, executors), { timeoutMs: 30_000 }));
  const members = new EtcdMembers(
    [...etcdNodes(spec), ...leaving.filter(({ roles }) => roles.includes('etcd'))].flatMap(node => {
      const executor = executors.get(node.name);
      return executor ? [etcdConnection(node, executor, certificates)] : [];
    }),
  );
  const wanted: Wanted = {
    spec,
    bundle,
    hosts: spec.nodes
      .filter(({ name }) => !leftOut.has(name))
      .map(node =>
        wantedHost({
          spec,
          node,
          certificates,
          bundle: bundle.manifest,
          facts: hosts.get(node.name)!.facts,
          encryption,
        }),
      ),
    away,
    addons: await options.addons(
      spec,
      [...hosts.values()].map(({ facts }) => facts),
    ),
    leaving,
    etcdFormed: state.etcdFormed,
    encryption,
    rotation: state.rotation && wantedRotation(state, options.restartWorkloads),
  };
  const lookAround = async (found: ReadonlyMap<string, SeenHost>): Promise<Seen> => ({
    hosts: found,
    cluster: await ifThere(lookAtCluster(client, signal)),
    members: state.etcdFormed && !spec.etcd.external ? await seenMembers(members, wanted, found, signal) : undefined,
  });
  const seen = await lookAround(hosts);
  const running = seen.cluster
    ? runningVersions(seen.cluster)
    : (await Promise.all([...executors.values()].map(executor => versionsOnHost(executor, signal)))).flat();
  checkVersions(bundle.manifest.versions['kubernetes'] ?? '', running);
  if ((options.workersOnly || away.length > 0) && !seen.cluster)
    throw conflict('cluster', spec.name, 'its control planes do not answer: bring up all of it first');
  const plan = options.workersOnly ? onWorkers(makePlan(wanted, seen), spec) : makePlan(wanted, seen);
  options.onPlan?.(plan);
  const steps = stepCount(plan);
  const keepCopies = async () => {
    if (!options.formatState) return;
    const executor = (host: string) => executors.get(host)!;
    const reached = { ...spec, nodes: spec.nodes.filter(({ name }) => executors.has(name)) };
    await keepStateCopies(options.formatState(state), { spec: reached, hosts, executor, signal });
  };
  if (options.dryRun) return { steps, state, leftOut };
  if (steps === 0) {
    if (state.etcdFormed) await keepCopies();
    return { steps, state, leftOut };
  }

  const save = async (next: EngineState) => {
    state = next;
    await options.saveState(next);
  };
  // Before the first step: certificates that are on hosts and nowhere else would be lost for good.
  await save({ ...state, nodes: [...spec.nodes, ...leaving] });
  const context: ActionContext = {
    wanted,
    onWarning: options.onWarning,
    certificates,
    executor(host) {
      const executor = executors.get(host);
      if (!executor) throw unavailable(`there is no connection to ${host}`);
      return executor;
    },
    client: () => client,
    members,
    onFormed: () => save({ ...state, etcdFormed: true }),
    signal,
  };
  const { onEvent } = options;
  if (seen.cluster) await runPlan(plan, { context, onEvent });
  else {
    // Nobody knew what is in use: once the control planes stand, everything is looked at and planned anew.
    await runPlan(plan.filter(isFirst), { context, onEvent });
    const now: Wanted = { ...wanted, etcdFormed: state.etcdFormed };
    const rest = makePlan(now, await lookAround(await lookAtHosts(executors, signal)));
    await runPlan(rest, { context: { ...context, wanted: now }, onEvent });
  }
  const version = bundle.manifest.versions['kubernetes'];
  await save({ ...state, nodes: spec.nodes, version, clusterUid: await clusterUid(client, signal) });
  await keepCopies();
  return { steps, state, leftOut };
}

/** Whether nothing is under way that each host has to have part in. */
const takesNoOther = ({ etcdFormed, rotation, encryptionChange }: EngineState): boolean =>
  etcdFormed && rotation === undefined && encryptionChange === undefined;

/** Without what concerns hosts of etcd and control planes. */
function onWorkers(plan: Plan, { nodes }: ClusterSpec): Plan {
  const others = new Set(nodes.filter(({ roles }) => roles.join() !== 'worker').map(({ name }) => name));
  return plan
    .map(stage => ({
      ...stage,
      chains: stage.chains
        .map(chain => chain.filter(({ host }) => host === undefined || !others.has(host)))
        .filter(({ length }) => length > 0),
    }))
    .filter(({ chains }) => chains.length > 0);
}

const firstStages = new Set(['bundle', 'files', 'etcd', 'etcd formed', 'snapshots', 'control planes', 'access']);
const isFirst = ({ name }: Plan[number]): boolean => firstStages.has(name);

async function lookAtHosts(
  executors: ReadonlyMap<string, Executor>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, SeenHost>> {
  const looking = [...executors].map(async ([name, executor]) => [name, await lookAtHost(executor, signal)] as const);
  return new Map(await Promise.all(looking));
}

async function ifThere(looking: Promise<SeenCluster>): Promise<SeenCluster | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** A cluster whose members are all down is started again; one that lost its majority can't be planned for. */
async function seenMembers(
  members: EtcdMembers,
  wanted: Wanted,
  hosts: ReadonlyMap<string, SeenHost>,
  signal: AbortSignal | undefined,
): Promise<readonly SeenMember[] | undefined> {
  const joins = wanted.hosts.some(({ node, etcd }) => etcd.length > 0 && !hosts.get(node.name)?.hasEtcdData);
  try {
    return await members.list(signal);
  } catch (error) {
    // Those that leave are taken out once the others are up.
    if (!joins) return undefined;
    throw internal(
      'etcd has no majority, so no member can be added: bring back hosts that have data, or restore a snapshot',
      error,
    );
  }
}

async function clusterUid(client: KubeClient, signal: AbortSignal | undefined): Promise<string | undefined> {
  const { metadata } = await client.get(namespaces, 'kube-system', { signal });
  return metadata.uid;
}
