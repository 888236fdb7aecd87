/**
 * A snapshot of etcd on demand: on every host with a member, each of its own, and a copy on this machine, which is the one that is left
 * when all hosts are lost. With it goes the state of the cluster: without its keys the objects are of no use.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { internal, invalid, unavailable } from '@drover/base';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdNodes } from '../node/host-input.ts';
import { bundlesDir } from '../node/paths.ts';
import { clientFlags, snapshotsDir } from './place.ts';

export interface SaveOptions {
  readonly spec: ClusterSpec;
  readonly name: string;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  /** On this machine; absent: the snapshot lies on the hosts alone. */
  readonly copyTo?: string;
  readonly onDone: (host: string, bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Names that are safe as a file's on every host. */
export function checkSnapshotName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,120}$/.test(name))
    throw invalid('--name', 'must be letters, digits, dots, colons, - and _, beginning with a letter or digit');
}

/** Resolves once all are written and checked; throws naming the host that failed. */
export async function saveSnapshot(options: SaveOptions): Promise<void> {
  const { spec, name, connect, copyTo, onDone, signal } = options;
  checkSnapshotName(name);
  const nodes = etcdNodes(spec);
  if (nodes.length === 0) throw invalid('services.etcd.external_urls', 'etcd is elsewhere: make snapshots there');
  let copied = false;
  for (const node of nodes) {
    await using executor = await connect(node);
    const path = `${snapshotsDir}/${name}.db`;
    const script = `set -e
bin=$(ls -d ${bundlesDir}/*/bin | tail -n 1)
mkdir -p ${snapshotsDir}
chmod 700 ${snapshotsDir}
umask 077
"$bin/etcdctl" ${clientFlags(node).join(' ')} snapshot save ${snapshotsDir}/.${name}.part >&2
"$bin/etcdutl" snapshot status ${snapshotsDir}/.${name}.part >&2
mv ${snapshotsDir}/.${name}.part ${path}
stat -c %s ${path}
sha256sum ${path} | cut -c1-64`;
    const { code, stdout, stderr } = await executor.run(['sh', '-c', script], {
      timeoutMs: spec.etcd.snapshots.timeoutSeconds * 1000,
      signal,
    });
    if (code !== 0) throw unavailable(`${node.name}: no snapshot could be made: ${stderr.trim().slice(-1000)}`);
    const [bytes = '0', sha256 = ''] = stdout.trim().split('\n');
    if (copyTo !== undefined && !copied) {
      await fetchFile(executor, { path, to: join(copyTo, `${name}.db`), sha256, dir: copyTo, signal });
      copied = true;
    }
    onDone(node.name, Number(bytes));
  }
}

async function fetchFile(
  executor: Executor,
  options: { path: string; to: string; sha256: string; dir: string; signal?: AbortSignal },
): Promise<void> {
  const { path, to, sha256, dir, signal } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const part = `${to}.part`;
  const hash = createHash('sha256');
  const source = await executor.stream(path, { signal });
  source.on('data', chunk => hash.update(chunk as Buffer));
  await pipeline(source, createWriteStream(part, { mode: 0o600 }), { signal });
  const found = hash.digest('hex');
  if (found !== sha256) {
    await rm(part, { force: true });
    throw internal(
      `the copy of ${path} from ${executor.host} is ${found.slice(0, 16)}…, ${sha256.slice(0, 16)}… expected`,
    );
  }
  await rename(part, to);
}
