/**
 * The `local` cluster of `drover up`: finds or builds the binaries, runs the control plane, and tells of each step. The
 * server is usable meanwhile; what goes wrong shows as the cluster's condition and on the terminal, and is tried again.
 */
import { join } from 'node:path';
import { backoffMs, type Log, messageOf, sleep } from '@drover/base';
import { controlPlaneBinaries, findBinaries, type LocalCluster, startLocalCluster } from '@drover/engine';
import type { Connection } from '@drover/kube';
import { progressLine } from './progress-line.ts';

export interface LocalOptions {
  readonly dataDir: string;
  readonly kubeBinDir?: string;
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
  for (let failures = 0; !options.signal.aborted; failures++) {
    try {
      await using cluster = await start(options);
      options.up(cluster.connection);
      failures = 0;
      await new Promise<void>(resolve => options.signal.addEventListener('abort', () => resolve(), { once: true }));
    } catch (error) {
      if (options.signal.aborted) return;
      options.log.warn({ err: error }, 'the local cluster did not start');
      options.say(`local cluster: ${messageOf(error)}`);
      options.waiting(messageOf(error));
      await sleep(backoffMs(failures, { minMs: 2_000, maxMs: 120_000 }), options.signal).catch(() => undefined);
    }
  }
}

async function start({ dataDir, kubeBinDir, say, log, signal, waiting }: LocalOptions): Promise<LocalCluster> {
  const tell = (line: string) => {
    say(`local cluster: ${line}`);
    waiting(line);
  };
  const binaries = await findBinaries({
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
  return startLocalCluster({
    dataDir: join(dataDir, 'local'),
    binaries,
    signal,
    log,
    onStep: step => tell(`${step.step} (${step.n} of ${step.of})`),
  });
}
