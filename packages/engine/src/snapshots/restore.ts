/**
 * Restores a snapshot: onto the hosts that made it, or onto new ones after all were lost. Everything that can be refused is refused
 * first; what etcd had before is moved aside, not deleted. Ends with etcd's folders in place: `up` brings everything else.
 */
import { createReadStream, existsSync } from 'node:fs';
import { conflict, invalid, messageOf, unavailable } from '@drover/base';
import type { Bundle } from '../bundle/bundle.ts';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdJoinFile, memberName, peerUrl } from '../node/etcd.ts';
import { etcdNodes } from '../node/host-input.ts';
import { bundleDir, certFile, etcdDataDir } from '../node/paths.ts';
import { sendBundle } from '../plan/send-bundle.ts';
import { snapshotsDir } from './place.ts';
import { checkSnapshotName } from './save.ts';

export interface RestoreOptions {
  readonly spec: ClusterSpec;
  readonly bundle: Bundle;
  readonly name: string;
  /** PEM: says on each host to which cluster the restored data belongs. */
  readonly authority: string;
  /** A file on this machine; absent: it lies on the hosts. */
  readonly from?: string;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  readonly onStep: (host: string, title: string) => void;
  readonly signal?: AbortSignal;
}

/** Far above what was written since: watchers that remember later revisions are told to list anew, not shown the past as new. */
const revisionBump = 1_000_000_000;

export async function restoreSnapshot(options: RestoreOptions): Promise<void> {
  const { spec, bundle, name, authority, from, connect, onStep, signal } = options;
  checkSnapshotName(name);
  if (from !== undefined && !existsSync(from)) throw invalid('--from', `there is no ${from}`);
  const nodes = etcdNodes(spec);
  await using undo = new AsyncDisposableStack();
  const executors = new Map<string, Executor>();
  for (const node of spec.nodes) executors.set(node.name, undo.use(await connect(node)));
  const members = nodes.map(node => ({ node, executor: executors.get(node.name)! }));
  const target = `${snapshotsDir}/${name}.db`;

  await Promise.all(members.map(({ executor }) => sendBundle(bundle, executor, { signal })));
  await spread({ members, target, from, onStep, signal });
  const etcdutl = `${bundleDir(bundle.manifest.id)}/bin/etcdutl`;
  for (const { executor } of members) {
    const { code, stderr, stdout } = await executor.run([etcdutl, 'snapshot', 'status', target], { signal });
    if (code !== 0)
      throw conflict('snapshot', name, `${executor.host}: it can't be read: ${(stderr || stdout).trim().slice(-300)}`);
  }
  await agree(members, target, name);

  // From here on the cluster is down until it is up again.
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
  const cluster = nodes.map(node => `${memberName(node)}=${peerUrl(node)}`).join(',');
  const join = etcdJoinFile(
    nodes.map(node => ({ name: memberName(node), peerUrl: peerUrl(node) })),
    'existing',
  );
  await Promise.all(
    members.map(async ({ node, executor }) => {
      const aside = `${etcdDataDir}.before-restore`;
      const restored = `${etcdDataDir}.restored`;
      await must(executor, ['rm', '-rf', restored], signal);
      await must(
        executor,
        [
          ...[etcdutl, 'snapshot', 'restore', target, '--data-dir', restored],
          ...['--name', memberName(node), '--initial-cluster', cluster],
          ...['--initial-cluster-token', `etcd-cluster-${spec.name}`, '--initial-advertise-peer-urls', peerUrl(node)],
          ...['--bump-revision', String(revisionBump), '--mark-compacted'],
        ],
        signal,
      );
      // The folder itself may be a mount: what is in it is exchanged.
      const swap = `set -e
rm -rf ${aside}; mkdir -p -m 700 ${aside} ${etcdDataDir}
if [ -d ${etcdDataDir}/member ]; then mv ${etcdDataDir}/member ${aside}/; fi
mv ${restored}/member ${etcdDataDir}/
rm -rf ${restored}`;
      await must(executor, ['sh', '-c', swap], signal);
      await executor.put(certFile('kube-ca'), authority, { signal });
      await executor.put(join.path, join.content, { mode: join.mode, signal });
      onStep(executor.host, 'put the snapshot in place');
    }),
  );
}

interface Member {
  readonly node: NodeSpec;
  readonly executor: Executor;
}

/** Every member's host has to have it: from this machine, or from the first host that does. */
async function spread(options: {
  members: readonly Member[];
  target: string;
  from: string | undefined;
  onStep: RestoreOptions['onStep'];
  signal: AbortSignal | undefined;
}): Promise<void> {
  const { members, target, from, onStep, signal } = options;
  const has = await Promise.all(
    members.map(async ({ executor }) => (await executor.run(['test', '-f', target], { signal })).code === 0),
  );
  const first = members[has.indexOf(true)];
  if (from === undefined && !first)
    throw invalid('--name', `none of the hosts has ${target}; give --from FILE for a copy of it`);
  for (const [index, { executor }] of members.entries()) {
    if (from === undefined && has[index]) continue;
    const content = from === undefined ? await first!.executor.stream(target, { signal }) : createReadStream(from);
    await executor.put(target, content, { mode: 0o600, signal });
    onStep(executor.host, 'bring the snapshot there');
  }
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
