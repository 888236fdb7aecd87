/**
 * Restores a snapshot: onto the hosts that made it, or onto new ones after all were lost. Everything that can be refused is refused
 * first: it is fetched, restored into an etcd of its own on the first host and looked into. What etcd had before is moved aside, not
 * deleted. Ends with etcd's folders in place: `up` brings everything else.
 */
import { createReadStream, existsSync } from 'node:fs';
import { conflict, invalid, messageOf, unavailable } from '@drover/base';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec, S3Place } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdJoinFile, memberName, peerUrl } from '../node/etcd.ts';
import { etcdNodes } from '../node/host-input.ts';
import { bundleDir, certFile, etcdDataDir } from '../node/paths.ts';
import { checkRestoredVersion } from '../plan/check-versions.ts';
import { sendBundle } from '../plan/send-bundle.ts';
import type { EngineState } from '../plan/up.ts';
import { runSnapshots, snapshotsDir } from './place.ts';
import { checkSnapshotName, type SavedSnapshot } from './save.ts';

export interface RestoreOptions {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly name: string;
  /** Of the cluster whose snapshot it is. */
  readonly state: EngineState;
  /** The Kubernetes that wrote what is in it, where that is known. */
  readonly madeUnder?: string;
  /** Told before the first change and after the last. */
  readonly saveState: (state: EngineState) => Promise<void>;
  /** A file on this machine; absent: it lies on the hosts, or in S3. */
  readonly from?: string;
  /** It is fetched from there by each host, whatever the hosts have. */
  readonly s3?: S3Place;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  readonly onStep: (host: string, title: string) => void;
  readonly signal?: AbortSignal;
}

/** Far above what was written since: watchers that remember later revisions are told to list anew, not shown the past as new. */
const revisionBump = 1_000_000_000;

/** The state after it; what broke off is gone on with by restoring again. */
export async function restoreSnapshot(options: RestoreOptions): Promise<EngineState> {
  const { spec, bundle, name, state, saveState, from, madeUnder, connect, onStep, signal } = options;
  checkSnapshotName(name);
  if (madeUnder !== undefined) checkRestoredVersion(bundle.manifest.versions['kubernetes'] ?? '', madeUnder);
  if (from !== undefined && !existsSync(from)) throw invalid('--from', `there is no ${from}`);
  const nodes = etcdNodes(spec);
  if (nodes.length === 0) throw invalid('services.etcd.external_urls', 'etcd is elsewhere: restore it there');
  await using undo = new AsyncDisposableStack();
  const executors = new Map<string, Executor>();
  for (const node of spec.nodes) executors.set(node.name, undo.use(await connect(node)));
  const members = nodes.map(node => ({ node, executor: executors.get(node.name)! }));
  const target = `${snapshotsDir}/${name}.db`;

  await Promise.all(members.map(({ executor }) => sendBundle(bundle, executor, { signal })));
  await spread(members, { ...options, target });
  await agree(members, target, name);
  await judge(members[0]!, options);

  // From here on the cluster is down until it is up again.
  await saveState({ ...state, restoring: name });
  await Promise.all(
    [...executors.values()].map(async executor => {
      // etcd last: an API server without it would take a minute to end.
      const script = `cd /etc/systemd/system || exit 0
units=$(ls drover-*.service 2>/dev/null | grep -vxE 'drover-(containerd|kube-lb|etcd).service')
[ -z "$units" ] || systemctl stop $units
[ ! -f drover-etcd.service ] || systemctl stop drover-etcd.service
# Which Kubernetes was here says nothing any more about which may be.
rm -f drover-kube-apiserver.service drover-kubelet.service
systemctl daemon-reload`;
      await must(executor, ['sh', '-c', script], signal);
      onStep(executor.host, 'stop Kubernetes');
    }),
  );
  await Promise.all(members.map(member => putInPlace(member, { ...options, target, nodes })));
  // All have it: what they had is no longer held back from being replaced.
  await Promise.all(members.map(({ executor }) => must(executor, ['rm', '-f', `${aside}/.restoring`], signal)));
  const restored: EngineState = { ...state, etcdFormed: true, restoring: undefined };
  await saveState(restored);
  return restored;
}

interface Member {
  readonly node: NodeSpec;
  readonly executor: Executor;
}

const aside = `${etcdDataDir}.before-restore`;

async function putInPlace(
  { node, executor }: Member,
  { spec, bundle, state, target, nodes, onStep, signal }: RestoreOptions & { target: string; nodes: NodeSpec[] },
): Promise<void> {
  const join = etcdJoinFile(
    nodes.map(one => ({ name: memberName(one), peerUrl: peerUrl(one) })),
    'existing',
  );
  const cluster = nodes.map(one => `${memberName(one)}=${peerUrl(one)}`).join(',');
  const restored = `${etcdDataDir}.restored`;
  await must(executor, ['rm', '-rf', restored], signal);
  await must(
    executor,
    [
      ...[`${bundleDir(bundle.manifest.id)}/bin/etcdutl`, 'snapshot', 'restore', target, '--data-dir', restored],
      ...['--name', memberName(node), '--initial-cluster', cluster],
      ...['--initial-cluster-token', `etcd-cluster-${spec.name}`, '--initial-advertise-peer-urls', peerUrl(node)],
      ...['--bump-revision', String(revisionBump), '--mark-compacted'],
    ],
    signal,
  );
  // The folder itself may be a mount: what is in it is exchanged. A run that broke off must not take its own half for what was before.
  const swap = `set -e
mkdir -p -m 700 ${aside} ${etcdDataDir}
if [ ! -f ${aside}/.restoring ]; then rm -rf ${aside}/member; [ ! -d ${etcdDataDir}/member ] || mv ${etcdDataDir}/member ${aside}/; : >${aside}/.restoring; fi
rm -rf ${etcdDataDir}/member
mv ${restored}/member ${etcdDataDir}/
rm -rf ${restored}`;
  await must(executor, ['sh', '-c', swap], signal);
  // Says to which cluster the data belongs.
  await executor.put(certFile('kube-ca'), state.certificates['kube-ca']!.cert, { signal });
  await executor.put(join.path, join.content, { mode: join.mode, signal });
  onStep(executor.host, 'put the snapshot in place');
}

/** Every member's host has to have it: from S3, from this machine, or from the first host that does. */
async function spread(
  members: readonly Member[],
  options: RestoreOptions & { readonly target: string },
): Promise<void> {
  const { name, target, from, s3, onStep, signal } = options;
  if (s3) {
    await Promise.all(
      members.map(async ({ node, executor }) => {
        await runSnapshots(['fetch', name], { ...options, node, executor });
        onStep(executor.host, 'fetch the snapshot from S3');
      }),
    );
    return;
  }
  const has = await Promise.all(
    members.map(async ({ executor }) => (await executor.run(['test', '-f', target], { signal })).code === 0),
  );
  const first = members[has.indexOf(true)];
  if (from === undefined && !first)
    throw invalid('--name', `none of the hosts has ${target}; give --from FILE for a copy of it, or --s3`);
  for (const [index, { executor }] of members.entries()) {
    if (from === undefined && has[index]) continue;
    const content = from === undefined ? await first!.executor.stream(target, { signal }) : createReadStream(from);
    await executor.put(target, content, { mode: 0o600, signal });
    onStep(executor.host, 'bring the snapshot there');
  }
}

/** An etcd that is restored from it says what it is. */
async function judge({ node, executor }: Member, options: RestoreOptions): Promise<void> {
  const { spec, name, state, onStep } = options;
  let found: SavedSnapshot;
  try {
    found = JSON.parse(await runSnapshots(['verify', name], { ...options, s3: undefined, node, executor }));
  } catch (error) {
    throw conflict('snapshot', name, `it is of no use, and nothing was changed: ${messageOf(error)}`);
  }
  if (state.clusterUid && found.clusterUid && found.clusterUid !== state.clusterUid)
    throw conflict(
      'snapshot',
      name,
      `it is of another cluster (${found.clusterUid}) than ${spec.name} (${state.clusterUid}); nothing was changed`,
    );
  onStep(executor.host, `verify the snapshot: ${found.keys} keys`);
}

/** Members restored from different snapshots would be different clusters under one name. */
async function agree(members: readonly Member[], target: string, name: string): Promise<void> {
  const sums = await Promise.all(
    members.map(async ({ executor }) => (await executor.run(['sha256sum', target])).stdout.slice(0, 64)),
  );
  if (new Set(sums).size <= 1) return;
  // Each host's own snapshot of one name is its own: the first one's counts for all.
  const first = members[0]!.executor;
  for (const { executor } of members.slice(1)) await executor.put(target, await first.stream(target), { mode: 0o600 });
  const again = await Promise.all(
    members.map(async ({ executor }) => (await executor.run(['sha256sum', target])).stdout.slice(0, 64)),
  );
  if (new Set(again).size > 1) throw conflict('snapshot', name, 'it is not the same on all hosts');
}

async function must(executor: Executor, argv: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const { code, stdout, stderr } = await executor.run(argv, { timeoutMs: 300_000, signal }).catch(error => {
    throw unavailable(`${executor.host}: ${messageOf(error)}`, { cause: error });
  });
  if (code !== 0)
    throw unavailable(
      `${executor.host}: ${argv.slice(0, 3).join(' ')} ended with ${code}: ${(stderr || stdout).trim().slice(-800)}`,
    );
}

/** The state that lies beside a snapshot in S3, as text; fetched by the first host of etcd, which gets the bundle for it. */
export async function fetchSnapshotState(
  name: string,
  options: Pick<RestoreOptions, 'spec' | 'bundle' | 's3' | 'connect' | 'signal'>,
): Promise<string> {
  checkSnapshotName(name);
  const [node] = etcdNodes(options.spec);
  if (!node) throw invalid('nodes', 'none has the role etcd');
  await using executor = await options.connect(node);
  await sendBundle(options.bundle, executor, options);
  return await runSnapshots(['get-state', name], { ...options, node, executor });
}
