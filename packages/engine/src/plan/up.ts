/**
 * `up`: brings a cluster to what its file says, from whatever there is. Everything that can be refused is refused before the first
 * step; what breaks off is gone on with by calling it again.
 */
import { internal, isUnavailable, messageOf, unavailable } from '@drover/base';
import { type Connection, KubeClient } from '@drover/kube';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { controlNodes, etcdNodes, type HostFacts } from '../node/host-input.ts';
import { wantedHost } from '../node/wanted-host.ts';
import { type Certificates, completeCertificates } from '../pki/cluster-certs.ts';
import { encryptionFor } from '../pki/encryption.ts';
import type { ActionContext } from './actions.ts';
import type { Addon } from './addon.ts';
import { checkHosts } from './check-hosts.ts';
import { checkVersions, runningVersions, versionsOnHost } from './check-versions.ts';
import { EtcdMembers, etcdConnection } from './etcd-members.ts';
import { lookAtHost } from './look.ts';
import { lookAtCluster } from './look-cluster.ts';
import { makePlan } from './plan.ts';
import { runPlan, type StepEvent } from './run.ts';
import type { Seen, SeenCluster, SeenHost, SeenMember } from './seen.ts';
import { type Plan, stepCount } from './step.ts';
import type { Wanted } from './wanted.ts';

/** What has to outlive a run; kept by whoever calls, before anything that stands on it is done. */
export interface EngineState {
  readonly certificates: Certificates;
  /** Of Secrets at rest: an EncryptionConfiguration's text. */
  readonly encryption?: string;
  /** Whether the first members of etcd have stood together once. */
  readonly etcdFormed: boolean;
  /** Those of the last run that began: who left since is found by it. */
  readonly nodes: readonly NodeSpec[];
}

export interface UpOptions {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly state: EngineState | undefined;
  readonly saveState: (state: EngineState) => Promise<void>;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  readonly addons: (spec: ClusterSpec, facts: readonly HostFacts[]) => Promise<readonly Addon[]>;
  readonly onPlan?: (plan: Plan) => void;
  readonly onEvent: (event: StepEvent) => Promise<void> | void;
  readonly onWarning: (message: string) => void;
  /** Certificates that are issued anew although they would still do. */
  readonly renew?: (name: string) => boolean;
  /** Leaves it at the plan. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface UpResult {
  readonly steps: number;
  readonly state: EngineState;
}

export async function up(options: UpOptions): Promise<UpResult> {
  const { spec, bundle, signal } = options;
  await using undo = new AsyncDisposableStack();
  const before = options.state;
  const { certificates } = await completeCertificates(spec, before?.certificates ?? {}, { renew: options.renew });
  const formed = before?.etcdFormed === true || spec.etcd.external !== undefined;
  const encryption = encryptionFor(spec, before?.encryption);
  let state: EngineState = { certificates, encryption, etcdFormed: formed, nodes: before?.nodes ?? [] };

  const leaving = state.nodes.filter(({ name }) => !spec.nodes.some(node => node.name === name));
  const executors = await connectAll(spec.nodes, options, undo);
  for (const [name, executor] of await connectSome(leaving, options, undo)) executors.set(name, executor);
  const hosts = await lookAtHosts(executors, signal);
  const isNew = spec.nodes.some(({ name }) => hosts.get(name)!.units.size === 0);
  if (isNew) await checkHosts({ spec, bundle, certificates, executors, onWarning: options.onWarning, signal });

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
    hosts: spec.nodes.map(node =>
      wantedHost({
        spec,
        node,
        certificates,
        bundle: bundle.manifest,
        facts: hosts.get(node.name)!.facts,
        encryption: state.encryption,
      }),
    ),
    addons: await options.addons(
      spec,
      [...hosts.values()].map(({ facts }) => facts),
    ),
    leaving,
    etcdFormed: state.etcdFormed,
    encryption,
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
  const plan = makePlan(wanted, seen);
  options.onPlan?.(plan);
  const steps = stepCount(plan);
  if (options.dryRun || steps === 0) return { steps, state };

  const save = async (next: EngineState) => {
    state = next;
    await options.saveState(next);
  };
  // Before the first step: certificates that are on hosts and nowhere else would be lost for good.
  await save({ ...state, nodes: [...spec.nodes, ...leaving] });
  const context: ActionContext = {
    wanted,
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
  await save({ ...state, nodes: spec.nodes });
  return { steps, state };
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

async function connectAll(
  nodes: readonly NodeSpec[],
  { connect }: UpOptions,
  undo: AsyncDisposableStack,
): Promise<Map<string, Executor>> {
  const executors = new Map<string, Executor>();
  const problems: string[] = [];
  await Promise.all(
    nodes.map(async node => {
      try {
        executors.set(node.name, undo.use(await connect(node)));
      } catch (error) {
        problems.push(`${node.name}: ${messageOf(error)}`);
      }
    }),
  );
  if (problems.length > 0)
    throw unavailable(`not all hosts can be reached, so nothing was changed:\n${problems.sort().join('\n')}`);
  return executors;
}

/** Hosts that leave may be gone already: that is no reason to keep the others waiting. */
async function connectSome(
  nodes: readonly NodeSpec[],
  { connect, onWarning }: UpOptions,
  undo: AsyncDisposableStack,
): Promise<Map<string, Executor>> {
  const executors = new Map<string, Executor>();
  await Promise.all(
    nodes.map(async node => {
      try {
        executors.set(node.name, undo.use(await connect(node)));
      } catch (error) {
        onWarning(`${node.name} leaves the cluster but can't be reached, so it is not cleaned: ${messageOf(error)}`);
      }
    }),
  );
  return executors;
}

/** Any control plane that takes a connection; all have the name `kubernetes` in their certificate. */
export function apiConnection(
  spec: ClusterSpec,
  certificates: Certificates,
  executors: ReadonlyMap<string, Executor>,
): Connection {
  const { cert, key } = certificates['kube-admin']!;
  return {
    server: 'https://kubernetes:6443',
    ca: certificates['kube-ca']!.cert,
    clientCert: cert,
    clientKey: key,
    async dialer(_, dialOptions) {
      const reasons: string[] = [];
      for (const node of controlNodes(spec)) {
        const executor = executors.get(node.name);
        if (!executor) continue;
        try {
          return await executor.dialer({ host: node.internalAddress, port: 6443 }, dialOptions);
        } catch (error) {
          dialOptions?.signal?.throwIfAborted();
          reasons.push(messageOf(error));
        }
      }
      throw unavailable(`no control plane takes a connection: ${reasons.join('; ')}`);
    },
  };
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
