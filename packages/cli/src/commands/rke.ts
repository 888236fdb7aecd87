/**
 * rke up, rke remove: Kubernetes clusters on hosts that somebody owns, from a `cluster.yml`, without a server. State and kubeconfig lie
 * beside the file; a run that was broken off is gone on with by the same command.
 */
import { readFile, rm } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { invalid, messageOf } from '@drover/base';
import {
  type Bundle,
  up as bringUp,
  buildBundle,
  type ClusterSpec,
  clusterAddons,
  connectLocal,
  connectSsh,
  defaultBundleDir,
  type Executor,
  formatState,
  initState,
  type KeptState,
  kubernetesVersions,
  type NodeSpec,
  openBundle,
  type Plan,
  parseKubernetes,
  type ReadCluster,
  readClusterFile,
  readCustomCertificates,
  readState,
  removeCluster,
  type StepEvent,
  saidVersions,
  stepCount,
  type UpOptions,
  withTrusted,
  writeAdminKubeconfig,
  writeState,
} from '@drover/engine';
import { say } from '../messages.ts';
import { askYes } from '../prompt.ts';

export interface RkeFlags {
  readonly config?: string;
  readonly bundle?: string;
  readonly dryRun?: boolean;
  readonly strictHostKeys?: boolean;
  /** Names or addresses of nodes. */
  readonly forgetHostKey?: readonly string[];
  readonly force?: boolean;
  readonly output?: string;
  /** Only the state is made. */
  readonly init?: boolean;
  readonly updateOnly?: boolean;
  /** This machine is the one host. */
  readonly local?: boolean;
  readonly disablePortCheck?: boolean;
  readonly customCerts?: boolean;
  readonly certDir?: string;
  readonly sshAgentAuth?: boolean;
  readonly ignoreDockerVersion?: boolean;
  readonly dind?: boolean;
}

export type Rotations = Pick<UpOptions, 'renew' | 'rotateAuthorities' | 'restartWorkloads' | 'rotateEncryptionKey'>;

interface Files {
  readonly config: string;
  readonly state: string;
  readonly kubeconfig: string;
}

/** Where things lie beside the config; named as the original names them. */
export function filesOf(flags: Pick<RkeFlags, 'config'>): Files {
  const config = resolve(flags.config ?? process.env['RKE_CONFIG'] ?? 'cluster.yml');
  const name = basename(config, extname(config));
  return {
    config,
    state: join(dirname(config), `${name}.rkestate`),
    kubeconfig: join(dirname(config), `kube_config_${basename(config)}`),
  };
}

/** `more`: what is to be rotated on the way. */
export async function up(flags: RkeFlags, more: Rotations = {}): Promise<void> {
  const files = filesOf(flags);
  const { spec, warnings } = await readConfig(files, flags);
  for (const { field, message } of warnings) warn(`${field}: ${message}`);
  let state = await readState(files.state, spec);
  const hostKeys = { ...state?.hostKeys };
  for (const { name, address } of spec.nodes)
    if (flags.forgetHostKey?.some(wanted => wanted === name || wanted === address)) delete hostKeys[address];
  const save = async (next: Omit<KeptState, 'hostKeys'>) => {
    state = { ...next, hostKeys };
    await writeState(files.state, spec, state);
    // Authorities may have been exchanged: the one who looks on meanwhile has to trust the new ones, too.
    if (state.etcdFormed) await writeAdminKubeconfig(files.kubeconfig, spec, withTrusted(state));
  };
  if (flags.customCerts) state = await withCustom(state, { spec, hostKeys, dir: certDirOf(flags, files) });
  // Behind all that can be refused by the files alone: making one takes minutes.
  const bundle = flags.init ? undefined : await chooseBundle(flags, spec);
  const told = teller(flags);
  if (!bundle) {
    await save(await initState({ spec, state }));
    return told.end(say('rkeInit', { path: files.state }));
  }
  const { steps, state: reached } = await bringUp({
    spec,
    bundle,
    state,
    saveState: save,
    connect: node => connectTo(node, { spec, hostKeys, flags }),
    addons: (wanted, facts) => clusterAddons({ spec: wanted, bundle: bundle.manifest, facts }),
    onPlan: plan => told.plan(plan),
    onEvent: event => told.event(event),
    onWarning: warn,
    formatState: next => formatState(spec, { ...next, hostKeys }),
    workersOnly: flags.updateOnly,
    trustWays: flags.disablePortCheck,
    ...more,
    dryRun: flags.dryRun,
  });
  if (flags.dryRun) return;
  await save(reached);
  told.end(steps === 0 ? say('rkeNothing') : say('rkeDone', { steps: String(steps), path: files.kubeconfig }));
}

/** Where certificates lie that a person brings: beside the config unless he says where. */
export function certDirOf({ certDir }: RkeFlags, { config }: Files): string {
  return resolve(certDir ?? join(dirname(config), `${basename(config, extname(config))}_certs`));
}

async function withCustom(
  state: KeptState | undefined,
  { spec, hostKeys, dir }: { spec: ClusterSpec; hostKeys: Record<string, string>; dir: string },
): Promise<KeptState> {
  const custom = await readCustomCertificates(spec, dir);
  const before = state ?? { etcdFormed: false, nodes: [], hostKeys, certificates: {} };
  return { ...before, certificates: { ...before.certificates, ...custom } };
}

export async function remove(flags: RkeFlags): Promise<number | undefined> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const state = await readState(files.state, spec);
  const nodes = [
    ...spec.nodes,
    ...(state?.nodes ?? []).filter(({ name }) => !spec.nodes.some(node => node.name === name)),
  ];
  if (
    !flags.force &&
    !(await askYes(say('rkeRemove', { name: spec.name, hosts: nodes.map(({ name }) => name).join(', ') }), '--force'))
  )
    return 1;
  const told = teller(flags);
  const hostKeys = { ...state?.hostKeys };
  await removeCluster({
    nodes,
    connect: node => connectTo(node, { spec, hostKeys, flags }),
    onEvent: event => told.event(event),
  });
  await rm(files.state, { force: true });
  await rm(files.kubeconfig, { force: true });
  return undefined;
}

/** With what flags say beside the file. */
export async function readConfig({ config }: Files, flags: RkeFlags = {}): Promise<ReadCluster> {
  if (flags.dind) throw invalid('--dind', say('rkeDind'));
  if (flags.ignoreDockerVersion) warn(`--ignore-docker-version: ${say('rkeNoDocker')}`);
  let text: string;
  try {
    text = await readFile(config, 'utf8');
  } catch (error) {
    if (flags.local && isAbsent(error)) text = JSON.stringify({ nodes: [localNode()] });
    else throw invalid('--config', `${config} can't be read: ${messageOf(error)}`);
  }
  const read = await readClusterFile(text, { dir: dirname(config), useAgent: flags.sshAgentAuth || flags.local });
  if (flags.local && read.spec.nodes.length !== 1) throw invalid('--local', say('rkeLocal'));
  return read;
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** This machine by the first address that others reach it at. */
function localNode(): object {
  const addresses = Object.values(networkInterfaces()).flatMap(found => found ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (own === undefined) throw invalid('--local', say('rkeNoAddress'));
  return {
    address: own,
    hostname_override: hostname().toLowerCase(),
    user: 'root',
    role: ['controlplane', 'etcd', 'worker'],
  };
}

/** The one that is named, or one of the wanted Kubernetes from the cache, built where it is not there. */
export async function chooseBundle(flags: RkeFlags, spec: ClusterSpec): Promise<Bundle> {
  const field = 'kubernetes_version';
  const asked = spec.kubernetesVersion === undefined ? undefined : parseKubernetes(spec.kubernetesVersion, field);
  const place = flags.bundle ?? defaultBundleDir(asked?.minor);
  if (!flags.bundle) {
    if (asked && kubernetesVersions[asked.minor] !== asked.version)
      throw invalid(field, `${asked.version} is none of ${saidVersions()}; name a bundle that has it (--bundle)`);
    await buildBundle(place, { kubernetes: asked?.version, onProgress: warn });
  }
  const bundle = await openBundle(place);
  const has = bundle.manifest.versions['kubernetes'];
  if (asked && asked.version !== has)
    throw invalid(field, `is ${asked.version}, but the bundle in ${place} has ${has}`);
  return bundle;
}

export function connectTo(
  node: NodeSpec,
  { spec, hostKeys, flags }: { spec: ClusterSpec; hostKeys: Record<string, string>; flags: RkeFlags },
): Promise<Executor> {
  if (flags.local) return Promise.resolve().then(() => connectLocal(node.name));
  const trustOf = (address: string, name: string) => ({
    fingerprint: hostKeys[address],
    trust: flags.strictHostKeys
      ? undefined
      : (fingerprint: string) => {
          hostKeys[address] = fingerprint;
          warn(say('rkeHostKey', { name, fingerprint }));
        },
  });
  return connectSsh({
    access: node.ssh,
    host: node.name,
    ...trustOf(node.address, node.name),
    bastion: spec.bastion && {
      access: spec.bastion,
      ...trustOf(spec.bastion.address, `bastion ${spec.bastion.address}`),
    },
  });
}

export interface Teller {
  plan(plan: Plan): void;
  event(event: StepEvent): void;
  end(text: string): void;
}

export function teller(flags: RkeFlags): Teller {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  if (flags.output === 'json') {
    return {
      plan: plan =>
        line(
          JSON.stringify({
            plan: plan.map(({ name, chains }) => ({ stage: name, steps: chains.flat().map(({ id }) => id) })),
          }),
        ),
      event: event => line(JSON.stringify(event)),
      end: text => line(JSON.stringify({ result: text })),
    };
  }
  return {
    plan(plan) {
      if (!flags.dryRun) return;
      for (const { name, chains } of plan)
        for (const { host, title } of chains.flat()) line(`${name.padEnd(24)}${(host ?? '').padEnd(20)}${title}`);
      line(say('rkeSteps', { steps: String(stepCount(plan)) }));
    },
    event({ state, host, title, tookMs, error }) {
      if (state === 'started') return;
      const seconds = (tookMs === undefined ? '' : `${(tookMs / 1000).toFixed(1)} s`).padStart(8);
      line(`${state === 'done' ? '✔' : '✖'}${seconds}  ${(host ?? '').padEnd(20)}${title}${error ? `\n${error}` : ''}`);
    },
    end: line,
  };
}

/** For people beside what is printed. */
export function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
