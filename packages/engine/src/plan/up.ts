/**
 * `up`: brings a cluster to what its file says, from whatever there is. Everything that can be refused is refused before the first
 * step; what breaks off is gone on with by calling it again. What takes more than one round over all hosts (new authorities, new keys
 * of Secrets) is a state between each two rounds: whoever is killed between them finds it again.
 */
import { conflict } from '@drover/base';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import type { HostFacts } from '../node/host-input.ts';
import { type Certificates, completeCertificates } from '../pki/cluster-certs.ts';
import { type Encryption, nextEncryption, otherResources, planEncryption } from '../pki/encryption.ts';
import { beginRotation, endingAuthorities, nextPhase, type Rotation } from '../pki/rotation.ts';
import type { Addon } from './addon.ts';
import { converge } from './converge.ts';
import type { StepEvent } from './run.ts';
import type { Plan } from './step.ts';

/** What has to outlive a run; kept by whoever calls, before anything that stands on it is done. */
export interface EngineState extends Encryption {
  readonly certificates: Certificates;
  /** While the cluster's authorities are being exchanged. */
  readonly rotation?: Rotation;
  /** Whether the first members of etcd have stood together once. */
  readonly etcdFormed: boolean;
  /** Those of the last run that began: who left since is found by it. */
  readonly nodes: readonly NodeSpec[];
  /** Of Kubernetes, when the last run ended. */
  readonly version?: string;
  /** Of its namespace kube-system: tells its snapshots from those of others. */
  readonly clusterUid?: string;
  /** The snapshot that is being restored: members of two pasts must not be started together. */
  readonly restoring?: string;
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
  /** Exchanges the cluster's authorities and the key of service accounts; one that is under way is gone on with. */
  readonly rotateAuthorities?: boolean;
  /** Whose pods are started anew to trust the new authorities; default `system`: the namespaces of the cluster itself. */
  readonly restartWorkloads?: 'system' | 'all';
  /** Has Secrets written by a new key; a change that is under way is gone on with. */
  readonly rotateEncryptionKey?: boolean;
  /** The state as control planes keep it, for whoever loses his own; absent: they keep none. */
  readonly formatState?: (state: EngineState) => string;
  /** Only hosts that are neither of etcd nor control planes. */
  readonly workersOnly?: boolean;
  /** Does not try the ways between hosts first. */
  readonly trustWays?: boolean;
  /**
   * Renews certificates on the hosts that can be reached, and leaves the others for a later run. Nothing that takes all hosts at once may be
   * under way then.
   */
  readonly leaveOut?: boolean;
  /** Leaves it at the plan. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface UpResult {
  readonly steps: number;
  readonly state: EngineState;
  /** The hosts that were away, by name, each with the cause. */
  readonly leftOut: ReadonlyMap<string, string>;
}

export async function up(options: UpOptions): Promise<UpResult> {
  await using undo = new AsyncDisposableStack();
  const connect = keepConnections(options.connect, undo);
  let state = await beginWith(options);
  for (let steps = 0; ; ) {
    const reached = await converge({ ...options, connect, state });
    steps += reached.steps;
    const next = advance(reached.state, options);
    if (!next || options.dryRun) return { ...reached, steps };
    await options.saveState(next);
    state = next;
  }
}

/** The state that a first run would begin with: what can be made without any host. */
export async function initState(options: Pick<UpOptions, 'spec' | 'state'>): Promise<EngineState> {
  return await beginWith({ ...options, onWarning: () => {} });
}

type BeginOptions = Pick<UpOptions, 'spec' | 'state' | 'onWarning'> &
  Partial<Pick<UpOptions, 'rotateAuthorities' | 'rotateEncryptionKey' | 'renew'>>;

/** What was asked for is in the state before anything is done, and is not begun twice. */
async function beginWith(options: BeginOptions): Promise<EngineState> {
  const { spec, state, rotateAuthorities, rotateEncryptionKey, renew, onWarning } = options;
  if (state?.restoring !== undefined)
    throw conflict(
      'cluster',
      spec.name,
      `the snapshot ${state.restoring} is half restored; restore it again (etcd snapshot-restore) before anything else`,
    );
  const isNew = state?.etcdFormed !== true && spec.etcd.external === undefined;
  if (isNew && (rotateAuthorities || rotateEncryptionKey))
    throw conflict('cluster', spec.name, 'it was never brought up: there is nothing to rotate');
  const { certificates } = await completeCertificates(spec, state?.certificates ?? {}, { renew });
  for (const message of endingAuthorities(certificates)) onWarning(message);
  const encryption = planEncryption(spec, state ?? {}, { rotate: rotateEncryptionKey, isNew });
  const others = otherResources(encryption.encryptionChange?.to);
  if (others.length > 0)
    onWarning(
      `${others.join(', ')}: what is there already is not written anew, Secrets alone are; keep their old keys`,
    );
  return {
    ...state,
    certificates,
    rotation: state?.rotation ?? (rotateAuthorities ? await beginRotation() : undefined),
    ...noEncryption,
    ...encryption,
    etcdFormed: !isNew,
    nodes: state?.nodes ?? [],
  };
}

const noEncryption: Encryption = { encryption: undefined, encryptionChange: undefined };

/** The state of the next round; undefined: there is none. */
function advance(state: EngineState, { spec }: UpOptions): EngineState | undefined {
  const { rotation, encryptionChange } = state;
  if (!rotation && !encryptionChange) return undefined;
  const encryption = nextEncryption(state);
  return {
    ...state,
    rotation: undefined,
    ...nextPhase(state),
    ...noEncryption,
    // The file may have been changed while another change was under way.
    ...(encryption.encryptionChange ? encryption : planEncryption(spec, encryption)),
  };
}

/** One connection to each host for all rounds; what uses it may dispose of it. */
function keepConnections(connect: UpOptions['connect'], undo: AsyncDisposableStack): UpOptions['connect'] {
  const kept = new Map<string, Executor>();
  return async node => {
    const known = kept.get(node.name);
    if (known) return known;
    const executor = await connect(node);
    undo.use(executor);
    const shared = { ...executor, [Symbol.asyncDispose]: async () => {} };
    kept.set(node.name, shared);
    return shared;
  };
}
