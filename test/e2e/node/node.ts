/**
 * A Kubernetes node on a machine of its own: containerd with runc, kubelet, kube-proxy and a bridge for its pods. The settings
 * are those that work without CAP_SYS_RESOURCE and on cgroup v1.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@drover/base';
import { type Binaries, type CertPair, certKubeconfig, issueCert } from '@drover/engine';
import { type KubeClient, nodes } from '@drover/kube';
import { pauseImage } from './image.ts';
import type { Machine } from './machine.ts';
import { cniConfig, containerdConfig, kubeletConfig, kubeProxyConfig } from './node-config.ts';

export interface NodeOptions {
  readonly machine: Machine;
  readonly address: string;
  readonly binaries: Binaries;
  readonly ca: CertPair;
  /** The kube-apiserver's. */
  readonly server: string;
  readonly client: KubeClient;
  readonly clusterCidr: string;
  /** Tars to import before the kubelet starts. */
  readonly images: readonly string[];
}

const socket = '/run/containerd/containerd.sock';

/** Starts everything and joins the cluster; resolves with the range of its pods once the node is Ready. */
export async function startNode(options: NodeOptions): Promise<string> {
  const { machine, address, binaries, client } = options;
  const etc = join(machine.stateDir, 'etc');
  await mkdir(join(etc, 'cni'), { recursive: true });
  const file = async (name: string, content: string) => {
    const path = join(etc, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const kubeconfig = async (user: string, organizations: string[]) => {
    const identity = await issueCert(options.ca, { commonName: user, organizations, usages: ['client'] });
    const text = certKubeconfig({ server: options.server, ca: options.ca.cert, user, identity });
    return file(`${user.replaceAll(':', '-')}.kubeconfig`, text);
  };

  const cniBin = join(binaries.dir, 'cni');
  const cniDir = join(etc, 'cni');
  const containerd = await file('containerd.toml', containerdConfig({ socket, cniBin, cniDir, pauseImage }));
  await machine.start('containerd', 'containerd', ['--config', containerd]);
  await until('containerd', () => machine.run('ctr', ['--address', socket, 'version']), { timeoutMs: 20_000 });
  for (const image of options.images) await importImage(machine, image);

  const serving = await issueCert(options.ca, {
    commonName: `system:node:${machine.name}`,
    organizations: ['system:nodes'],
    dnsNames: [machine.name],
    ips: [address],
    usages: ['server'],
  });
  const kubelet = kubeletConfig({
    address,
    socket,
    cgroupRoot: `/${machine.cgroup}`,
    clientCaFile: await file('ca.crt', options.ca.cert),
    certFile: await file('kubelet.crt', serving.cert),
    keyFile: await file('kubelet.key', serving.key.reveal()),
  });
  await machine.start('kubelet', binaries.path('kubelet'), [
    `--config=${await file('kubelet.json', JSON.stringify(kubelet))}`,
    `--kubeconfig=${await kubeconfig(`system:node:${machine.name}`, ['system:nodes'])}`,
    `--hostname-override=${machine.name}`,
    `--node-ip=${address}`,
  ]);
  const proxy = kubeProxyConfig({
    kubeconfig: await kubeconfig('system:kube-proxy', []),
    hostname: machine.name,
    clusterCidr: options.clusterCidr,
  });
  await machine.start('kube-proxy', binaries.path('kube-proxy'), [
    `--config=${await file('kube-proxy.json', JSON.stringify(proxy))}`,
  ]);

  try {
    const podCidr = await until(
      `${machine.name} to be given addresses`,
      async () => ((await client.get(nodes, machine.name)).spec as { podCIDR?: string }).podCIDR,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await writeFile(join(cniDir, '10-bridge.conflist'), JSON.stringify(cniConfig(podCidr)));
    await until(`${machine.name} to be Ready`, () => isReady(client, machine.name), {
      timeoutMs: 60_000,
      everyMs: 200,
    });
    return podCidr;
  } catch (error) {
    throw new Error(
      `kubelet:\n${await machine.logTail('kubelet')}\ncontainerd:\n${await machine.logTail('containerd')}`,
      {
        cause: error,
      },
    );
  }
}

/** Imports an image's tar where the kubelet looks for images. */
export async function importImage(machine: Machine, tar: string): Promise<void> {
  await machine.run('ctr', ['--address', socket, '--namespace', 'k8s.io', 'image', 'import', '--all-platforms', tar]);
}

async function isReady(client: KubeClient, name: string): Promise<boolean> {
  const { status } = await client.get(nodes, name);
  const { conditions = [] } = status as { conditions?: { type: string; status: string }[] };
  return conditions.some(condition => condition.type === 'Ready' && condition.status === 'True');
}
