/**
 * The plan: from what shall be and what is to the steps between, as a pure function. A second plan after a run has no steps;
 * a plan after a run that broke off has those that are left.
 */
import { createHash } from 'node:crypto';
import { conflict } from '@drover/base';
import type { NodeSpec } from '../config/spec.ts';
import { etcdJoinFile, memberName, peerUrl } from '../node/etcd.ts';
import { bundleDir, etcDir, sslDir } from '../node/paths.ts';
import type { Unit, WantedFile } from '../node/unit.ts';
import { plainDigest, writerDigest } from '../pki/encryption.ts';
import { type Addon, addonDigest, secretsMemory } from './addon.ts';
import { needsNodeSettings } from './node-settings.ts';
import { rotationMemory } from './rotate.ts';
import type { Seen, SeenHost, SeenNode } from './seen.ts';
import type { Action, Plan, Stage, Step } from './step.ts';
import type { Wanted, WantedHost } from './wanted.ts';

/** Set on nodes that the engine itself took out of scheduling, so that a later run puts back just those. */
export const cordonedAnnotation = 'drover.io/cordoned-for-upgrade';

/** What the engine remembers in the cluster and is no addon. */
const memories: ReadonlySet<string> = new Set([secretsMemory, rotationMemory]);

const hostsAtOnce = 50;

export function makePlan(wanted: Wanted, seen: Seen): Plan {
  // What the cluster has once follows from all of its hosts.
  const whole = (stages: () => readonly Stage[]) => (wanted.away.length === 0 ? stages() : []);
  const stages: Stage[] = [
    perHost('bundle', wanted, host => bundleSteps(wanted, host, look(seen, host))),
    perHost('files', wanted, host => fileSteps(host, look(seen, host))),
    ...etcdStages(wanted, seen),
    perHost('snapshots', wanted, host => startSteps('snapshots', host.node, host.etcdHelpers, look(seen, host))),
    controlPlaneStage(wanted, seen),
    ...whole(() => [earlyStage(wanted, seen)]),
    ...nodeStages(wanted, seen),
    ...whole(() => [addonStage(wanted, seen), secretsStage(wanted, seen), ...rotationStages(wanted, seen)]),
    perHost('labels and taints', wanted, host => settingSteps(host, seen)),
    ...leavingStages(wanted, seen),
  ];
  return stages
    .map(stage => ({ ...stage, chains: stage.chains.filter(({ length }) => length > 0) }))
    .filter(({ chains }) => chains.length > 0);
}

function look(seen: Seen, { node }: WantedHost): SeenHost {
  const host = seen.hosts.get(node.name);
  if (!host) throw conflict('host', node.name, 'it was not looked at');
  return host;
}

function perHost(name: string, wanted: Wanted, steps: (host: WantedHost) => Step[], parallel = hostsAtOnce): Stage {
  return { name, parallel, chains: wanted.hosts.map(steps) };
}

function step(stage: string, host: string | undefined, title: string, action: Action): Step {
  return { id: [stage, host, title].filter(Boolean).join('/'), title, host, action };
}

function bundleSteps({ bundle }: Wanted, { node }: WantedHost, host: SeenHost): Step[] {
  if (host.bundles.includes(bundle.manifest.id.slice(0, 12))) return [];
  return [step('bundle', node.name, `send the bundle to ${bundleDir(bundle.manifest.id)}`, { do: 'bundle' })];
}

function fileSteps({ node, files }: WantedHost, host: SeenHost): Step[] {
  const put = files.filter(file => !isThere(file, host));
  const remove = strayFiles(files, host);
  if (put.length + remove.length === 0) return [];
  const title = put.length === 1 ? `write ${put[0]!.path}` : `bring ${put.length + remove.length} files in order`;
  return [step('files', node.name, title, { do: 'files', put, remove })];
}

/** Keys and settings of roles that the host no longer has. */
function strayFiles(files: readonly WantedFile[], host: SeenHost): string[] {
  const kept = new Set([...files.map(({ path }) => path), etcdJoinFile([], 'new').path]);
  return [...host.files.keys()].filter(
    path => !kept.has(path) && [`${sslDir}/`, `${etcDir}/`].some(folder => path.startsWith(folder)),
  );
}

function isThere({ path, content, mode }: WantedFile, host: SeenHost): boolean {
  const there = host.files.get(path);
  return there?.mode === mode && there.sha256 === createHash('sha256').update(content).digest('hex');
}

const runs = (unit: Unit, host: SeenHost): boolean => {
  const there = host.units.get(unit.name);
  return there?.active === true && there.enabled && there.inputs === unit.inputs;
};

function startSteps(stage: string, node: NodeSpec, units: readonly Unit[], host: SeenHost): Step[] {
  return units
    .filter(unit => !runs(unit, host))
    .map(unit => step(stage, node.name, `start ${unit.name.replace(/\.service$/, '')}`, { do: 'start', unit }));
}

/** Units of ours that a host has and shall not have any more, by the roles it lost. */
function stopSteps(stage: string, wanted: WantedHost, host: SeenHost): Step[] {
  const units = [...wanted.etcd, ...wanted.etcdHelpers, ...wanted.controlPlane, ...wanted.worker];
  const kept = new Set(units.map(({ name }) => name));
  return [...host.units.keys()]
    .filter(name => !kept.has(name))
    .map(unit => step(stage, wanted.node.name, `remove ${unit.replace(/\.service$/, '')}`, { do: 'stop', unit }));
}

/**
 * A cluster that has never formed starts all members at once; afterwards one at a time, each looked at before the next is touched,
 * so that a majority is always there.
 */
function etcdStages(wanted: Wanted, seen: Seen): Stage[] {
  const hosts = wanted.hosts.filter(({ etcd }) => etcd.length > 0);
  if (hosts.length === 0) return [];
  const nodes = hosts.map(({ node }) => node);
  if (wanted.away.some(({ roles }) => roles.includes('etcd'))) return [unlessTheyRun(hosts, seen)];
  if (!wanted.etcdFormed) {
    const file = etcdJoinFile(
      nodes.map(node => ({ name: memberName(node), peerUrl: peerUrl(node) })),
      'new',
    );
    const chains = hosts.map(wantedHost => {
      const { node, etcd } = wantedHost;
      const host = look(seen, wantedHost);
      const join = step('etcd', node.name, 'say who the first members are', { do: 'etcd-join', file });
      return [...(isThere(file, host) ? [] : [join]), ...startSteps('etcd', node, etcd, host)];
    });
    const formed = step('etcd formed', undefined, 'see that all members are there', { do: 'etcd-formed' });
    return [
      { name: 'etcd', parallel: hostsAtOnce, chains },
      { name: 'etcd formed', parallel: 1, chains: [[formed]] },
    ];
  }
  if (!hosts.some(host => look(seen, host).hasEtcdData)) {
    throw conflict(
      'cluster',
      wanted.spec.name,
      'none of its etcd hosts has any data: its objects are gone with them. Restore a snapshot (etcd snapshot-restore)',
    );
  }
  // Without a majority none is well before the others are: those that have data start together.
  const parallel = seen.members ? 1 : hostsAtOnce;
  return [{ name: 'etcd', parallel, chains: [...memberRemovals(wanted, seen), ...memberChains(hosts, seen)] }];
}

/**
 * While a member is away the majority may hang on each of the others: none that runs is started anew, and none comes or goes. They read
 * new certificates by themselves.
 */
function unlessTheyRun(hosts: readonly WantedHost[], seen: Seen): Stage {
  const chains = hosts.map(wantedHost => {
    const host = look(seen, wantedHost);
    const down = wantedHost.etcd.filter(({ name }) => host.units.get(name)?.active !== true);
    return host.hasEtcdData ? startSteps('etcd', wantedHost.node, down, host) : [];
  });
  return { name: 'etcd', parallel: seen.members ? 1 : hostsAtOnce, chains };
}

/** Members whose host left, or whose data is gone: a member that can't come back counts against the majority. */
function memberRemovals(wanted: Wanted, seen: Seen): Step[][] {
  const kept = new Map(wanted.hosts.filter(({ etcd }) => etcd.length > 0).map(host => [peerUrl(host.node), host]));
  return (seen.members ?? []).flatMap(member => {
    const url = member.peerUrls[0] ?? '';
    const host = kept.get(url);
    if (host && (look(seen, host).hasEtcdData || member.name === '')) return [];
    const name = member.name || url;
    return [[step('etcd', host?.node.name, `remove member ${name}`, { do: 'member-remove', name, peerUrl: url })]];
  });
}

function memberChains(hosts: readonly WantedHost[], seen: Seen): Step[][] {
  // The ones that are there first: a majority has to stand before another joins.
  const ordered = [...hosts].sort((a, b) => Number(look(seen, b).hasEtcdData) - Number(look(seen, a).hasEtcdData));
  return ordered.map(wantedHost => {
    const { node, etcd } = wantedHost;
    const host = look(seen, wantedHost);
    const start = startSteps('etcd', node, etcd, host);
    if (host.hasEtcdData) return start;
    const joining = { do: 'member-add', name: memberName(node), peerUrl: peerUrl(node) } as const;
    return [step('etcd', node.name, 'join the members', joining), ...start];
  });
}

/** One at a time where a cluster is in use, so that the others answer meanwhile. */
function controlPlaneStage(wanted: Wanted, seen: Seen): Stage {
  const hosts = wanted.hosts.filter(({ controlPlane }) => controlPlane.length > 0);
  return {
    name: 'control planes',
    parallel: seen.cluster ? 1 : hostsAtOnce,
    chains: hosts.map(host => startSteps('control planes', host.node, host.controlPlane, look(seen, host))),
  };
}

function nodeStages(wanted: Wanted, seen: Seen): Stage[] {
  const chains = { control: [] as Step[][], worker: [] as Step[][], joining: [] as Step[][] };
  for (const host of wanted.hosts) {
    const there = seen.cluster?.nodes.find(({ name }) => name === host.node.name);
    const steps = nodeSteps(wanted, host, { seen, there });
    const group = !there ? 'joining' : host.node.roles.includes('controlplane') ? 'control' : 'worker';
    chains[group].push(steps);
  }
  const { upgrade } = wanted.spec;
  return [
    { name: 'nodes', parallel: hostsAtOnce, chains: chains.joining },
    {
      name: 'nodes of control planes',
      parallel: atOnce(upgrade.maxUnavailableControlplane, chains.control.length),
      chains: chains.control,
    },
    {
      name: 'workers',
      parallel: atOnce(upgrade.maxUnavailableWorker, chains.worker.length),
      chains: chains.worker,
    },
  ];
}

function nodeSteps(
  wanted: Wanted,
  host: WantedHost,
  { seen, there }: { seen: Seen; there: SeenNode | undefined },
): Step[] {
  const stage = 'nodes';
  const { node } = host;
  const found = look(seen, host);
  const missing = Object.values(wanted.bundle.manifest.images).filter(({ name }) => !found.images.has(name));
  const [runtime = [], rest] = split(host.worker, ({ name }) => name === 'drover-containerd.service');
  const work = [
    ...startSteps(stage, node, runtime, found),
    ...(missing.length === 0
      ? []
      : [step(stage, node.name, 'import images', { do: 'images', paths: missing.map(({ path }) => path) })]),
    ...startSteps(stage, node, rest, found),
    ...stopSteps(stage, host, found),
  ];
  const wasCordoned = there?.annotations[cordonedAnnotation] !== undefined;
  if (work.length === 0 && !wasCordoned && there?.ready) return [];
  const ready = step(stage, node.name, 'wait until the node is ready', { do: 'node-ready' });
  const version = wanted.bundle.manifest.versions['kubernetes'];
  const upgrades = there?.ready === true && there.kubeletVersion !== version;
  if (!upgrades && !wasCordoned) return [...work, ready];
  const drain = wanted.spec.upgrade.drain ? [step(stage, node.name, 'drain', { do: 'drain' })] : [];
  return [
    ...(upgrades && there.schedulable ? [step(stage, node.name, 'cordon', { do: 'cordon' })] : []),
    ...(upgrades ? drain : []),
    ...work,
    ready,
    step(stage, node.name, 'uncordon', { do: 'uncordon' }),
  ];
}

function split<T>(all: readonly T[], first: (one: T) => boolean): [T[], T[]] {
  return [all.filter(first), all.filter(one => !first(one))];
}

/** A count, or a share rounded down; never less than one. */
export function atOnce(limit: string, of: number): number {
  const count = limit.endsWith('%') ? Math.floor((of * Number.parseFloat(limit)) / 100) : Number.parseInt(limit, 10);
  return Math.max(1, count);
}

function earlyStage(wanted: Wanted, seen: Seen): Stage {
  const stage = 'access';
  return {
    name: stage,
    parallel: 1,
    chains: [
      applySteps(
        stage,
        wanted.addons.filter(({ early }) => early),
        seen,
      ),
    ],
  };
}

function addonStage({ addons }: Wanted, seen: Seen): Stage {
  const stage = 'addons';
  const withdraw = Object.keys(seen.cluster?.addons ?? {})
    .filter(name => !memories.has(name) && !addons.some(addon => addon.name === name))
    .map(name => step(stage, undefined, `withdraw ${name}`, { do: 'withdraw', name }));
  const late = addons.filter(({ early }) => !early);
  return { name: stage, parallel: 1, chains: [[...applySteps(stage, late, seen), ...withdraw]] };
}

/** What was written before the keys changed is written again, or it would stay as it was. */
function secretsStage({ encryption }: Wanted, { cluster }: Seen): Stage {
  const stage = 'secrets';
  const digest = writerDigest(encryption);
  const written = cluster?.addons[secretsMemory] ?? plainDigest;
  const steps =
    digest === written ? [] : [step(stage, undefined, 'write all Secrets anew', { do: 'rewrite-secrets', digest })];
  return { name: stage, parallel: 1, chains: [steps] };
}

/** Once a phase is on all hosts: what it asks of pods and their tokens. */
function rotationStages({ rotation, hosts }: Wanted, { cluster }: Seen): Stage[] {
  if (!rotation || cluster?.addons[rotationMemory] === rotation.digest) return [];
  const stage = 'authorities';
  const once = (title: string, action: Action): Stage => ({
    name: stage,
    parallel: 1,
    chains: [[step(stage, undefined, title, action)]],
  });
  switch (rotation.phase) {
    case 'trust':
      return [once('start pods anew, to trust the new authority', { do: 'restart-workloads', rotation })];
    case 'issue': {
      const chains = hosts.map(({ node }) => [
        step(stage, node.name, 'see that pods have tokens of the new key', { do: 'pod-tokens', rotation }),
      ]);
      const renew = once('write tokens in Secrets anew', { do: 'renew-tokens', rotation });
      return [{ name: stage, parallel: hostsAtOnce, chains }, renew];
    }
    default:
      return [];
  }
}

function applySteps(stage: string, addons: readonly Addon[], { cluster }: Seen): Step[] {
  return addons
    .filter(addon => cluster?.addons[addon.name] !== addonDigest(addon))
    .map(addon => step(stage, undefined, `apply ${addon.name}`, { do: 'apply', addon }));
}

function settingSteps({ node }: WantedHost, { cluster }: Seen): Step[] {
  const there = cluster?.nodes.find(({ name }) => name === node.name);
  if (there && !needsNodeSettings(node, there)) return [];
  return [step('labels and taints', node.name, 'set labels and taints', { do: 'node-settings', node })];
}

function leavingStages({ leaving }: Wanted, { cluster, hosts }: Seen): Stage[] {
  const stage = 'leaving';
  const chains = leaving.map(({ name }) => {
    const isNode = cluster?.nodes.some(node => node.name === name);
    const remove = isNode ? [step(stage, name, 'delete the node', { do: 'node-delete' })] : [];
    // What can't be reached is left as it is, and said; its pods would never tell that they have gone.
    if (!hosts.has(name)) return remove;
    const empty = isNode
      ? [step(stage, name, 'cordon', { do: 'cordon' }), step(stage, name, 'drain', { do: 'drain' })]
      : [];
    return [...empty, ...remove, step(stage, name, 'clean the host', { do: 'reset' })];
  });
  return [{ name: stage, parallel: 1, chains }];
}
