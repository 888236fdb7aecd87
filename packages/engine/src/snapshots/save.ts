/**
 * A snapshot of etcd on demand: on every host with a member, each of its own, verified there by an etcd that is restored from it, and
 * sent to S3 where that is asked for; and a copy on this machine, which is the one that is left when all hosts are lost. With it goes
 * the state of the cluster: without its keys the objects are of no use.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { internal, invalid, messageOf, unavailable } from '@drover/base';
import type { ClusterSpec, NodeSpec, S3Place } from '../config/spec.ts';
import type { Executor } from '../hosts/executor.ts';
import { etcdNodes } from '../node/host-input.ts';
import { runSnapshots, snapshotsDir } from './place.ts';

export interface SaveOptions {
  readonly spec: ClusterSpec;
  readonly name: string;
  readonly connect: (node: NodeSpec) => Promise<Executor>;
  /** On this machine; absent: the snapshot lies on the hosts alone. */
  readonly copyTo?: string;
  /** Where one of them is sent, with `state`. */
  readonly s3?: S3Place;
  /** The text of the cluster's state: it holds every key of the cluster. */
  readonly state?: string;
  readonly onDone: (host: string, snapshot: SavedSnapshot) => void;
  /** A host that made none while others did. */
  readonly onFailed: (host: string, message: string) => void;
  readonly signal?: AbortSignal;
}

/** What an etcd that was restored from it said. */
export interface SavedSnapshot {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly keys: number;
  /** Empty where it can't be told. */
  readonly clusterUid: string;
}

/** Names that are safe as a file's on every host. */
export function checkSnapshotName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,120}$/.test(name))
    throw invalid('--name', 'must be letters, digits, dots, colons, - and _, beginning with a letter or digit');
}

/** Resolves once those that can be made are verified, and one is where it has to be; throws where there is none, or it can't be sent. */
export async function saveSnapshot(options: SaveOptions): Promise<SavedSnapshot> {
  const { spec, name, connect, onDone, onFailed, signal } = options;
  checkSnapshotName(name);
  const nodes = etcdNodes(spec);
  if (nodes.length === 0) throw invalid('services.etcd.external_urls', 'etcd is elsewhere: make snapshots there');
  const failures: string[] = [];
  let first: SavedSnapshot | undefined;
  for (const node of nodes) {
    try {
      await using executor = await connect(node);
      const saved = JSON.parse(await runSnapshots(['save', name], { spec, node, executor, signal })) as SavedSnapshot;
      if (!first) await keep(saved, { ...options, node, executor });
      first ??= saved;
      onDone(node.name, saved);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof KeepError) throw error.cause;
      failures.push(messageOf(error));
      onFailed(node.name, messageOf(error));
    }
  }
  if (!first) throw unavailable(`no host could make a snapshot:\n${failures.join('\n')}`);
  return first;
}

/** The snapshot is there, and what is to be done with it fails. */
class KeepError extends Error {}

type KeepOptions = SaveOptions & { readonly node: NodeSpec; readonly executor: Executor };

async function keep({ name, sha256 }: SavedSnapshot, options: KeepOptions): Promise<void> {
  const { copyTo, s3, state, executor, signal } = options;
  try {
    if (s3) {
      await runSnapshots(['send', name], options);
      if (state !== undefined) await runSnapshots(['put-state', name], { ...options, input: state });
    }
    if (copyTo === undefined) return;
    const path = `${snapshotsDir}/${name}.db`;
    await fetchFile(executor, { path, to: join(copyTo, `${name}.db`), sha256, dir: copyTo, signal });
  } catch (error) {
    throw new KeepError('', { cause: error });
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
