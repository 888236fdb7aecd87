/**
 * The `local` cluster of `drover up`: finds or builds the binaries, runs the control plane, and a node where it can, and tells of each
 * step. The server is usable meanwhile; what goes wrong shows as the cluster's condition and on the terminal, and is tried again.
 */
import { join } from 'node:path';
import { aborted, backoffMs, type Log, messageOf, sleep } from '@drover/base';
import {
  type Addresses,
  type Binaries,
  controlPlaneBinaries,
  findBinaries,
  type LocalCluster,
  startLocalCluster,
} from '@drover/engine';
import type { Connection } from '@drover/kube';
import { clearNode, type NodeOptions, prepareNode, runNode } from './local-node.ts';
import { progressLine } from './progress-line.ts';

export interface LocalOptions {
  readonly dataDir: string;
  readonly kubeBinDir?: string;
  /** Where what a node needs is looked for; absent: no node. */
  readonly bundleDirs?: readonly string[];
  readonly say: (line: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told when the cluster can be reached. */
  readonly up: (connection: Connection) => void;
  /** Told what is being waited for. */
  readonly waiting: (cause: string) => void;
}

/** Runs the local cluster until the signal aborts; resolves when all of it has stopped. */
export async function runLocalCluster(options: LocalOptions): Promise<void> {
  const { dataDir, bundleDirs, say, log, signal } = options;
  const dir = join(dataDir, 'local');
  const node: NodeOptions | undefined = bundleDirs && { dir, bundleDirs, say, log, signal };
  if (!node) await clearNode({ dir, log });
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const binaries = await find(options);
      await using place = node && (await prepareNode(node));
      await using cluster = await start({ ...options, dir, binaries, addresses: place?.addresses });
      options.up(cluster.connection);
      failures = 0;
      if (node && place) await runNode(node, { cluster, addresses: place.addresses });
      else await aborted(signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'the local cluster did not start');
      say(`local cluster: ${messageOf(error)}`);
      options.waiting(messageOf(error));
      await sleep(backoffMs(failures, { minMs: 2_000, maxMs: 120_000 }), signal).catch(() => undefined);
    }
  }
}

function tellOf({ say, waiting }: LocalOptions): (line: string) => void {
  return line => {
    say(`local cluster: ${line}`);
    waiting(line);
  };
}

function find(options: LocalOptions): Promise<Binaries> {
  const { kubeBinDir, log, signal } = options;
  const tell = tellOf(options);
  return findBinaries({
    // kubectl too, so that `drover kubectl` works on a machine without it.
    names: [...controlPlaneBinaries, 'kubectl'],
    dir: kubeBinDir,
    signal,
    onProgress: progress => {
      const line = progressLine(progress);
      if (line === undefined) log.debug({ progress }, 'looking for Kubernetes');
      else tell(line);
    },
  });
}

function start(
  options: LocalOptions & { readonly dir: string; readonly binaries: Binaries; readonly addresses?: Addresses },
): Promise<LocalCluster> {
  const { dir, binaries, addresses, signal, log } = options;
  const tell = tellOf(options);
  return startLocalCluster({
    dataDir: dir,
    binaries,
    nodes: addresses && { address: addresses.node, podCidr: addresses.podCidr, passedOn: true },
    signal,
    log,
    onStep: step => tell(`${step.step} (${step.n} of ${step.of})`),
  });
}
