/**
 * rke up, rke remove: Kubernetes clusters on hosts that somebody owns, from a `cluster.yml`, without a server. State and kubeconfig lie
 * beside the file; a run that was broken off is gone on with by the same command.
 */
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { invalid, messageOf } from '@drover/base';
import {
  type Bundle,
  up as bringUp,
  buildBundle,
  type ClusterSpec,
  clusterAddons,
  connectSsh,
  defaultBundleDir,
  type Executor,
  type KeptState,
  kubernetesVersions,
  type NodeSpec,
  openBundle,
  type Plan,
  parseKubernetes,
  type ReadCluster,
  readClusterFile,
  readState,
  removeCluster,
  type StepEvent,
  saidVersions,
  stepCount,
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
}

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

/** `renew` says which certificates are issued anew. */
export async function up(flags: RkeFlags, renew?: (name: string) => boolean): Promise<void> {
  const files = filesOf(flags);
  const { spec, warnings } = await readConfig(files);
  for (const { field, message } of warnings) warn(`${field}: ${message}`);
  const bundle = await chooseBundle(flags, spec);
  let state = await readState(files.state, spec);
  const hostKeys = { ...state?.hostKeys };
  for (const { name, address } of spec.nodes)
    if (flags.forgetHostKey?.some(wanted => wanted === name || wanted === address)) delete hostKeys[address];
  const save = async (next: Omit<KeptState, 'hostKeys'>) => {
    state = { ...next, hostKeys };
    await writeState(files.state, spec, state);
  };
  const told = teller(flags);
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
    renew,
    dryRun: flags.dryRun,
  });
  if (flags.dryRun) return;
  await save(reached);
  await writeAdminKubeconfig(files.kubeconfig, spec, reached.certificates);
  told.end(steps === 0 ? say('rkeNothing') : say('rkeDone', { steps: String(steps), path: files.kubeconfig }));
}

export async function remove(flags: RkeFlags): Promise<number | undefined> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files);
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

export async function readConfig({ config }: Files): Promise<ReadCluster> {
  let text: string;
  try {
    text = await readFile(config, 'utf8');
  } catch (error) {
    throw invalid('--config', `${config} can't be read: ${messageOf(error)}`);
  }
  return await readClusterFile(text, { dir: dirname(config) });
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

function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
