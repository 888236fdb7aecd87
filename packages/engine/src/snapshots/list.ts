/** Which snapshots there are, on the hosts and in S3, and their removal. */
import { messageOf, unavailable } from '@drover/base';
import type { ClusterSpec, NodeSpec, S3Place } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdNodes } from '../node/host-input.ts';
import { runSnapshots } from './place.ts';
import { checkSnapshotName } from './save.ts';

export interface ListedSnapshot {
  readonly name: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly made: string;
  readonly place: 'host' | 's3';
  /** Where it lies on hosts: their names. */
  readonly hosts: readonly string[];
}

export interface SnapshotsOptions {
  readonly spec: ClusterSpec;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  readonly s3?: S3Place;
  /** A host that did not answer while others did. */
  readonly onFailed: (host: string, message: string) => void;
  readonly signal?: AbortSignal;
}

/** The newest first; one name once for the hosts and once for S3. Throws where no host answers. */
export async function listSnapshots(options: SnapshotsOptions): Promise<ListedSnapshot[]> {
  const found = new Map<string, ListedSnapshot>();
  let asked = false;
  await onEach(options, async (node, executor) => {
    // The bucket is the same for all of them.
    const s3 = asked ? undefined : options.s3;
    const text = await runSnapshots(['list'], { ...options, node, executor, s3 });
    asked = true;
    for (const one of JSON.parse(text) as Omit<ListedSnapshot, 'hosts'>[]) {
      const key = `${one.place}/${one.name}`;
      const hosts = one.place === 'host' ? [...(found.get(key)?.hosts ?? []), node.name] : [];
      found.set(key, { ...one, hosts });
    }
  });
  return [...found.values()].sort((a, b) => (a.made > b.made ? -1 : 1));
}

/** From all hosts and from S3, with the state beside it; no error where it is gone already. */
export async function removeSnapshot(name: string, options: SnapshotsOptions): Promise<void> {
  checkSnapshotName(name);
  let asked = false;
  await onEach(options, async (node, executor) => {
    const s3 = asked ? undefined : options.s3;
    await runSnapshots(['remove', name], { ...options, node, executor, s3 });
    asked = true;
  });
}

async function onEach(
  { spec, connect, onFailed, signal }: SnapshotsOptions,
  doing: (node: NodeSpec, executor: Executor) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  const nodes = etcdNodes(spec);
  for (const node of nodes) {
    try {
      await using executor = await connect(node);
      await doing(node, executor);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(messageOf(error));
      onFailed(node.name, messageOf(error));
    }
  }
  if (failures.length === nodes.length) throw unavailable(`no host of etcd answers:\n${failures.join('\n')}`);
}
