/**
 * The local cluster: a real control plane (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) as supervised child
 * processes on loopback, all of its state in one directory. Starting again in that directory finds the same cluster.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, messageOf, silentLog, timedOut } from '@drover/base';
import { type Connection, writeFileAtomic } from '@drover/kube';
import type { Binaries } from '../binaries/find.ts';
import { controlPlaneBinaries } from '../binaries/names.ts';
import { holdLock } from '../process/lock.ts';
import { endLeftovers, type ProcessStatus, SupervisedProcess } from '../process/supervise.ts';
import {
  apiserverComponent,
  type Component,
  controllerManagerComponent,
  etcdComponent,
  type Layout,
  schedulerComponent,
  serviceAddress,
} from './components.ts';
import { type Credentials, ensureCredentials } from './credentials.ts';
import { certKubeconfig } from './kubeconfig.ts';
import { ensurePorts } from './ports.ts';
import { probeHealth } from './probe.ts';

export interface LocalClusterOptions {
  readonly dataDir: string;
  readonly binaries: Binaries;
  /** Aborting it stops the cluster, or gives up its start. */
  readonly signal?: AbortSignal;
  readonly log?: Log;
  readonly onStep?: (step: LocalClusterStep) => void;
  /** Told of every change of a process: started, ready, ended and why. */
  readonly onProcess?: (status: ProcessStatus) => void;
  /**
   * For real nodes: the address by which they reach the kube-apiserver, and the range of their pods' addresses. It listens at that address,
   * or on loopback where somebody passes connections on to it.
   */
  readonly nodes?: { readonly address: string; readonly podCidr: string; readonly passedOn?: boolean };
  readonly startTimeoutMs?: number;
}

export interface LocalClusterStep {
  readonly step: string;
  readonly n: number;
  readonly of: number;
  readonly elapsedMs: number;
}

export interface LocalProcess extends ProcessStatus {
  readonly memoryBytes?: number;
}

export interface LocalCluster extends AsyncDisposable {
  /** The administrator's, by client certificate. */
  readonly connection: Connection;
  readonly kubeconfigPath: string;
  /** E.g. `v1.36.3`. */
  readonly version: string;
  /** The cluster's own authority (certificate and key files `ca.crt`, `ca.key`), for what joins it. */
  readonly pkiDir: string;
  processes(): Promise<readonly LocalProcess[]>;
  /** Ends all processes, the kube-apiserver's clients first, etcd last. */
  stop(): Promise<void>;
}

const loopback = '127.0.0.1';

/** Starts the cluster and resolves when all of it is ready. Throws ServiceUnavailable when another process runs it already. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { dataDir, signal, log = silentLog } = options;
  const step = stepReporter(options.onStep);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  const lock = await holdLock(join(dataDir, 'lock'), {
    signal,
    orFail: `the local cluster in ${dataDir} is run by another process already`,
  });
  undo.defer(() => lock[Symbol.asyncDispose]());
  await endLeftovers(join(dataDir, 'run'), controlPlaneBinaries, log);

  step('keys and certificates');
  const advertise = options.nodes?.address ?? loopback;
  const address = options.nodes?.passedOn ? loopback : advertise;
  const pkiDir = join(dataDir, 'pki');
  const [credentials, ports] = await Promise.all([
    ensureCredentials(pkiDir, { address: advertise, serviceAddress }),
    ensurePorts(dataDir, address),
  ]);
  const server = `https://${address}:${ports.apiserver}`;
  const kubeconfigPath = await writeKubeconfigs(credentials, server, dataDir);
  const layout: Layout = { ...options, ports, address, advertise, pkiDir, podCidr: options.nodes?.podCidr };

  const supervise = (component: Component): SupervisedProcess => {
    const trust =
      component.name === 'etcd'
        ? { ca: credentials.etcdCa.cert, identity: credentials.etcdClient }
        : { ca: credentials.ca.cert, identity: credentials.admin };
    const supervised = new SupervisedProcess({
      ...component,
      runDir: join(dataDir, 'run'),
      logDir: join(dataDir, 'logs'),
      log,
      onChange: options.onProcess,
      probe: probing => probeHealth(component.healthUrl, { ...trust, signal: probing }),
    });
    undo.defer(() => supervised.stop());
    return supervised;
  };
  const etcd = supervise(etcdComponent(layout));
  const apiserver = supervise(apiserverComponent(layout));
  const controllers = [controllerManagerComponent(layout), schedulerComponent(layout)].map(supervise);
  const all = [etcd, apiserver, ...controllers];

  const deadline = AbortSignal.timeout(options.startTimeoutMs ?? 120_000);
  const waiting = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    for (const [name, stage] of [
      ['etcd', [etcd]],
      ['kube-apiserver', [apiserver]],
      ['kube-controller-manager and kube-scheduler', controllers],
    ] as const) {
      step(name);
      for (const supervised of stage) supervised.start();
      await Promise.all(stage.map(supervised => supervised.ready(waiting)));
    }
  } catch (error) {
    if (!deadline.aborted || signal?.aborted) throw error;
    const late = all.map(({ status }) => status).filter(({ state }) => state !== 'ready' && state !== 'stopped');
    const what = late.map(({ name, state, message }) => `${name} is ${state}${message ? ` (${message})` : ''}`);
    throw timedOut(`the local cluster did not start: ${what.join('; ')}; see ${join(dataDir, 'logs')}`);
  }
  step('ready');

  const running = undo.move();
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= running.disposeAsync());
  signal?.addEventListener('abort', () => {
    stop().catch((error: unknown) => log.error({ error: messageOf(error) }, 'the local cluster did not stop cleanly'));
  });
  return {
    connection: {
      server,
      ca: credentials.ca.cert,
      clientCert: credentials.admin.cert,
      clientKey: credentials.admin.key,
    },
    kubeconfigPath,
    version: options.binaries.version,
    pkiDir,
    processes: () =>
      Promise.all(all.map(async process => ({ ...process.status, memoryBytes: await process.memoryBytes() }))),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function writeKubeconfigs(credentials: Credentials, server: string, dataDir: string): Promise<string> {
  const write = async (path: string, user: string, identity: Credentials['admin']) => {
    await writeFileAtomic(path, certKubeconfig({ server, ca: credentials.ca.cert, user, identity }));
    return path;
  };
  const [admin] = await Promise.all([
    write(join(dataDir, 'kubeconfig'), 'drover-admin', credentials.admin),
    write(join(credentials.dir, 'controller-manager.kubeconfig'), 'controller-manager', credentials.controllerManager),
    write(join(credentials.dir, 'scheduler.kubeconfig'), 'scheduler', credentials.scheduler),
  ]);
  return admin;
}

function stepReporter(onStep: LocalClusterOptions['onStep']): (step: string) => void {
  const startedAt = performance.now();
  let n = 0;
  return step => onStep?.({ step, n: ++n, of: 5, elapsedMs: Math.round(performance.now() - startedAt) });
}
