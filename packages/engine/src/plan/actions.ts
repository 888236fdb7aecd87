/** What each step does: a table from the action's word to a function. Each may be done again and ends where it has to. */
import { ignoreNotFound, internal, until } from '@drover/base';
import { emptyNode, type KubeClient, nodes } from '@drover/kube';
import type { Executor } from '../hosts/executor.ts';
import { etcdJoinFile, memberName, peerUrl as peerUrlOf } from '../node/etcd.ts';
import { bundleDir, containerdSocket, pinnedLabel, unitsDir } from '../node/paths.ts';
import type { Unit } from '../node/unit.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import { applyAddon, rewriteSecrets, withdrawAddon } from './apply-addon.ts';
import type { EtcdMembers } from './etcd-members.ts';
import { waitUntilHealthy } from './health.ts';
import { toSeenNode } from './look-cluster.ts';
import { wantedSettings } from './node-settings.ts';
import { cordonedAnnotation } from './plan.ts';
import { resetHost } from './reset.ts';
import { awaitPodTokens, renewTokens, restartWorkloads } from './rotate.ts';
import { sendBundle } from './send-bundle.ts';
import type { Action, Step } from './step.ts';
import type { Wanted } from './wanted.ts';

export interface ActionContext {
  readonly wanted: Wanted;
  readonly certificates: Certificates;
  /** By the node's name; throws ServiceUnavailable for one that isn't connected. */
  executor(host: string): Executor;
  /** The cluster's API by whichever control plane answers. */
  client(): KubeClient;
  readonly members: EtcdMembers;
  readonly onWarning: (message: string) => void;
  /** Told once the first members stand together, before anything else is done. */
  onFormed(): Promise<void>;
  readonly signal?: AbortSignal;
}

type Doing<A extends Action['do']> = (
  action: Extract<Action, { do: A }>,
  host: string,
  context: ActionContext,
) => Promise<void>;

const table: { readonly [A in Action['do']]: Doing<A> } = {
  bundle: (_, host, { wanted, executor, signal }) => sendBundle(wanted.bundle, executor(host), { signal }),
  async files({ put, remove }, host, { executor, signal }) {
    const target = executor(host);
    await Promise.all(put.map(({ path, content, mode }) => target.put(path, content, { mode, signal })));
    if (remove.length > 0) await must(target, ['rm', '-f', '--', ...remove], signal);
  },
  async start({ unit }, host, context) {
    const target = context.executor(host);
    const { node } = context.wanted.hosts.find(({ node: { name } }) => name === host)!;
    const { certificates, signal } = context;
    if (unit.health?.kind === 'etcd' && context.wanted.etcdFormed) await context.members.yieldLeadership(node, signal);
    await startUnit(unit, target, signal);
    // Members of a new cluster wait for each other: that is a step of its own.
    if (unit.health?.kind === 'etcd' && !context.wanted.etcdFormed) return;
    await waitUntilHealthy(unit, { executor: target, node, certificates, signal });
  },
  stop: ({ unit }, host, { executor, signal }) => stopUnit(unit, executor(host), signal),
  async images({ paths }, host, { wanted, executor, signal }) {
    const dir = bundleDir(wanted.bundle.manifest.id);
    for (const path of paths) {
      const ctr = [`${dir}/bin/ctr`, '--address', containerdSocket, '--namespace', 'k8s.io', 'images', 'import'];
      await must(executor(host), [...ctr, '--label', pinnedLabel, `${dir}/${path}`], signal);
    }
  },
  'etcd-join': ({ file }, host, { executor, signal }) =>
    executor(host).put(file.path, file.content, { mode: file.mode, signal }),
  async 'member-add'({ name, peerUrl }, host, { wanted, members, executor, signal }) {
    const before = await members.list(signal);
    const known = before.some(({ peerUrls }) => peerUrls.includes(peerUrl));
    const all = known ? before : await members.add(peerUrl, signal);
    // One that was added but never started has no name in the list, and the newcomer has to name all.
    const nameAt = new Map(wanted.hosts.map(({ node }) => [peerUrlOf(node), memberName(node)]));
    nameAt.set(peerUrl, name);
    const join = all.map(member => {
      const url = member.peerUrls[0] ?? '';
      return { name: member.name || (nameAt.get(url) ?? member.id), peerUrl: url };
    });
    const file = etcdJoinFile(join, 'existing');
    await executor(host).put(file.path, file.content, { mode: file.mode, signal });
  },
  async 'member-remove'({ peerUrl }, _, { members, signal }) {
    const member = (await members.list(signal)).find(({ peerUrls }) => peerUrls.includes(peerUrl));
    if (member) await members.remove(member.id, signal);
  },
  async 'etcd-formed'(_, __, { wanted, members, onFormed, signal }) {
    const names = wanted.hosts.filter(({ etcd }) => etcd.length > 0).map(({ node }) => memberName(node));
    const allThere = async () => {
      const there = await members.list(signal);
      return names.every(name => there.some(member => member.name === name));
    };
    await until(`the members ${names.join(', ')} to stand together`, allThere, {
      timeoutMs: 180_000,
      everyMs: 250,
      signal,
    });
    await onFormed();
  },
  async cordon(_, host, { client, signal }) {
    const patch = { metadata: { annotations: { [cordonedAnnotation]: 'true' } }, spec: { unschedulable: true } };
    await client().patch(nodes, host, patch, { type: 'merge', signal });
  },
  async drain(_, host, { client, wanted, signal }) {
    const drain = wanted.spec.upgrade.drain ?? { ...gentle, timeoutSeconds: 120 };
    await emptyNode(client(), host, {
      deleteLocalData: drain.deleteLocalData,
      force: drain.force,
      gracePeriod: drain.gracePeriodSeconds,
      ignoreDaemonSets: drain.ignoreDaemonSets,
      timeoutMs: drain.timeoutSeconds * 1000,
      signal,
    });
  },
  async uncordon(_, host, { client, signal }) {
    const patch = { metadata: { annotations: { [cordonedAnnotation]: null } }, spec: { unschedulable: null } };
    await client().patch(nodes, host, patch, { type: 'merge', signal });
  },
  async 'node-ready'(_, host, { client, wanted, signal }) {
    const version = wanted.bundle.manifest.versions['kubernetes'];
    const isReady = async () => {
      const node = toSeenNode(await client().get(nodes, host, { signal }));
      return node.ready && node.kubeletVersion === version;
    };
    await until(`node ${host} to be ready`, isReady, { timeoutMs: 240_000, everyMs: 500, signal });
  },
  async 'node-settings'({ node }, host, { client, signal }) {
    const seen = toSeenNode(await client().get(nodes, host, { signal }));
    const { labels, annotations, taints } = wantedSettings(node, seen);
    await client().patch(
      nodes,
      host,
      { metadata: { labels, annotations }, spec: { taints } },
      { type: 'merge', signal },
    );
  },
  async 'node-delete'(_, host, { client, signal }) {
    await ignoreNotFound(client().delete(nodes, host, { signal }));
  },
  apply: ({ addon }, _, { client, signal }) => applyAddon(addon, client(), signal),
  withdraw: ({ name }, _, { client, signal }) => withdrawAddon(name, client(), signal),
  'rewrite-secrets': ({ digest }, _, { client, signal }) => rewriteSecrets(client(), digest, signal),
  'restart-workloads': ({ rotation }, _, { client, onWarning, signal }) =>
    restartWorkloads(rotation, { client: client(), onWarning, signal }),
  'renew-tokens': ({ rotation }, _, { client, onWarning, signal }) =>
    renewTokens(rotation, { client: client(), onWarning, signal }),
  'pod-tokens': ({ rotation }, host, { executor, signal }) => awaitPodTokens(rotation, executor(host), signal),
  reset: (_, host, { executor, signal }) => resetHost(executor(host), { signal }),
};

const gentle = { force: true, ignoreDaemonSets: true, deleteLocalData: true, gracePeriodSeconds: -1 };

/** Does one step to its end. Throws what went wrong, with the host's own words where it has some. */
export async function act({ action, host = '' }: Step, context: ActionContext): Promise<void> {
  const doing = table[action.do] as Doing<Action['do']>;
  await doing(action as never, host, context);
}

/** Throws with what the command said unless it ends with 0. */
async function must(executor: Executor, argv: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const { code, stdout, stderr } = await executor.run(argv, { timeoutMs: 300_000, signal });
  if (code === 0) return;
  const said = (stderr || stdout).trim().slice(-1000);
  throw internal(`${executor.host}: ${argv.slice(0, 3).join(' ')} … ended with ${code}: ${said}`);
}

async function startUnit(unit: Unit, executor: Executor, signal: AbortSignal | undefined): Promise<void> {
  await executor.put(`${unitsDir}/${unit.name}`, unit.text, { mode: 0o644, signal });
  await must(executor, ['systemctl', 'daemon-reload'], signal);
  await must(executor, ['systemctl', 'enable', unit.name], signal);
  // Does not wait: a member of etcd is up only once the others are.
  await must(executor, ['systemctl', 'restart', '--no-block', unit.name], signal);
}

async function stopUnit(unit: string, executor: Executor, signal: AbortSignal | undefined): Promise<void> {
  await executor.run(['systemctl', 'disable', '--now', unit], { timeoutMs: 120_000, signal });
  await must(executor, ['rm', '-f', `${unitsDir}/${unit}`], signal);
  await must(executor, ['systemctl', 'daemon-reload'], signal);
}
