/**
 * A whole Kubernetes for end-to-end tests: the local cluster's control plane and real nodes, on this machine and cut off from
 * the world. Gone without a trace when disposed; what a killed run left is cleared away by the next.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Log, until } from '@drover/base';
import {
  controlPlaneBinaries,
  ensureCa,
  findBinaries,
  importImage,
  type Machine,
  nodeBinaries,
  removeCgroup,
  runCommand as run,
  startLocalCluster,
  startMachine,
  startNode,
} from '@drover/engine';
import { type Connection, KubeClient, serviceAccounts } from '@drover/kube';
import { containerdConfig } from './containerd-config.ts';
import { pauseImage, writeBusyboxImage, writePauseImage } from './image.ts';
import { createNetwork } from './network.ts';

export interface TestClusterOptions {
  readonly nodes: number;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

export interface TestCluster extends AsyncDisposable {
  /** The administrator's. */
  readonly kubeconfigPath: string;
  readonly connection: Connection;
  /** Where nodes and pods reach what the test serves; listen there or on all addresses. */
  readonly hostAddress: string;
  readonly version: string;
  readonly nodeNames: readonly string[];
  /** Puts an image (OCI layout or docker archive, as tar) on every node. */
  loadImage(tarPath: string): Promise<void>;
  /** kubectl as the administrator; its stdout. */
  runKubectl(args: readonly string[]): Promise<string>;
  readonly kubectlPath: string;
}

const prefix = 'drover-test-cluster-';
/** Debian's. */
const programs = { containerd: 'containerd', ctr: 'ctr' };

/** Starts the cluster and waits until every node is Ready. See testClusterSkipReason for where it can run. */
export async function startTestCluster(options: TestClusterOptions): Promise<TestCluster> {
  await using undo = new AsyncDisposableStack();
  const binaries = await findBinaries({ names: [...controlPlaneBinaries, ...nodeBinaries], signal: options.signal });
  const network = undo.use(await createNetwork(removeStale));
  const dir = await mkdtemp(join(tmpdir(), `${prefix}${network.name}-`));
  undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  const images = [join(dir, 'pause.tar'), join(dir, 'busybox.tar')];
  await Promise.all([writePauseImage(images[0]!, binaries.path('pause')), writeBusyboxImage(images[1]!)]);
  const cluster = await startLocalCluster({
    ...options,
    dataDir: join(dir, 'control-plane'),
    binaries,
    nodes: { address: network.hostAddress, podCidr: network.podCidr },
  });
  undo.use(cluster);
  const client = undo.use(new KubeClient(cluster.connection));
  const ca = await ensureCa(cluster.pkiDir, 'ca', 'drover-local-ca');

  const machines: Machine[] = [];
  for (let index = 1; index <= options.nodes; index++) {
    const { namespace, address } = await network.addNode(index);
    const machine = await startMachine({
      name: `node-${index}`,
      namespace,
      stateDir: join(dir, `node-${index}`),
      cgroup: namespace,
    });
    undo.use(machine);
    const podCidr = await startNode({
      machine,
      address,
      programs: { ...programs, kubelet: binaries.path('kubelet'), 'kube-proxy': binaries.path('kube-proxy') },
      runtimeConfig: places => containerdConfig({ ...places, cniBin: join(binaries.dir, 'cni'), pauseImage }),
      ca,
      server: cluster.connection.server,
      client,
      clusterCidr: network.podCidr,
      async loadImages() {
        for (const image of images) await importImage(machine, programs.ctr, image, '--all-platforms');
      },
    });
    await network.routePods(podCidr, address);
    machines.push(machine);
  }

  // Pods are refused before the controller-manager has made it.
  await until('the default service account', () => client.get(serviceAccounts, 'default', { namespace: 'default' }));

  const running = undo.move();
  const kubectlPath = binaries.path('kubectl');
  return {
    kubeconfigPath: cluster.kubeconfigPath,
    connection: cluster.connection,
    hostAddress: network.hostAddress,
    version: cluster.version,
    nodeNames: machines.map(({ name }) => name),
    kubectlPath,
    async loadImage(tarPath) {
      for (const machine of machines) await importImage(machine, programs.ctr, tarPath, '--all-platforms');
    },
    runKubectl: args => run(kubectlPath, ['--kubeconfig', cluster.kubeconfigPath, ...args]),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function removeStale(name: string): Promise<void> {
  for (const found of await readdir(tmpdir())) {
    if (found.startsWith(`${prefix}${name}-`)) await rm(join(tmpdir(), found), { recursive: true, force: true });
  }
  // Slots have at most as many nodes as somebody asked for; absent cgroups cost nothing.
  for (let index = 1; index <= 5; index++) await removeCgroup(`${name}n${index}`);
}
