/**
 * A Kubernetes node on a machine of its own: containerd with runc, kubelet, kube-proxy and a bridge for its pods. The settings
 * are those that work without CAP_SYS_RESOURCE and on cgroup v1.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { anySignal, internal, unavailable, until } from '@drover/base';
import { type KubeClient, nodes } from '@drover/kube';
import { certKubeconfig } from '../local/kubeconfig.ts';
import { type CertPair, issueCert } from '../pki/certificate.ts';
import type { Machine } from './machine.ts';
import { cniConfig, kubeletConfig, kubeProxyConfig } from './node-config.ts';

export interface NodeOptions {
  readonly machine: Machine;
  /** By which this machine and the other nodes reach it. */
  readonly address: string;
  readonly programs: Readonly<Record<'containerd' | 'ctr' | 'kubelet' | 'kube-proxy', string>>;
  /** containerd's config.toml. */
  readonly runtimeConfig: (places: { readonly socket: string; readonly cniDir: string }) => string;
  readonly runtimeEnv?: NodeJS.ProcessEnv;
  readonly ca: CertPair;
  /** The kube-apiserver's, as it is reached from the node. */
  readonly server: string;
  readonly client: KubeClient;
  readonly clusterCidr: string;
  readonly dns?: { readonly server: string; readonly domain: string };
  /** Puts images in place; containerd runs, the kubelet does not yet. */
  readonly loadImages: () => Promise<void>;
  readonly signal?: AbortSignal;
}

const socket = '/run/containerd/containerd.sock';

/** Starts everything and joins the cluster; resolves with the range of its pods once the node is Ready. */
export async function startNode(options: NodeOptions): Promise<string> {
  const { machine, address, programs, client, signal } = options;
  const etc = join(machine.stateDir, 'etc');
  const cniDir = join(etc, 'cni');
  // The kubelet takes a network for ready by this file: that of an earlier run would be too early.
  await rm(cniDir, { recursive: true, force: true });
  await mkdir(cniDir, { recursive: true, mode: 0o700 });
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

  const config = await file('containerd.toml', options.runtimeConfig({ socket, cniDir }));
  const containerd = machine.start('containerd', programs.containerd, ['--config', config], {
    probe: () => socketAnswers(`/proc/${machine.pid}/root${socket}`),
    env: options.runtimeEnv,
  });
  await within(machine, containerd.ready(anySignal(signal, AbortSignal.timeout(20_000))));
  await options.loadImages();

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
    dns: options.dns,
    clientCaFile: await file('ca.crt', options.ca.cert),
    certFile: await file('kubelet.crt', serving.cert),
    keyFile: await file('kubelet.key', serving.key.reveal()),
  });
  const startedAt = Date.now();
  const kubeletArgs = [
    `--config=${await file('kubelet.json', JSON.stringify(kubelet))}`,
    `--kubeconfig=${await kubeconfig(`system:node:${machine.name}`, ['system:nodes'])}`,
    `--hostname-override=${machine.name}`,
    `--node-ip=${address}`,
  ];
  machine.start('kubelet', programs.kubelet, kubeletArgs, {
    probe: probing => answers(`http://${address}:10248/healthz`, probing),
  });
  const proxy = kubeProxyConfig({
    kubeconfig: await kubeconfig('system:kube-proxy', []),
    hostname: machine.name,
    clusterCidr: options.clusterCidr,
    address,
  });
  machine.start(
    'kube-proxy',
    programs['kube-proxy'],
    [`--config=${await file('kube-proxy.json', JSON.stringify(proxy))}`],
    { probe: probing => answers(`http://${address}:10256/livez`, probing) },
  );

  const joining = (async () => {
    const podCidr = await until(
      `${machine.name} to be given addresses`,
      async () => ((await client.get(nodes, machine.name)).spec as { podCIDR?: string }).podCIDR,
      { timeoutMs: 60_000, everyMs: 100, signal },
    );
    await writeFile(join(cniDir, '10-bridge.conflist'), JSON.stringify(cniConfig(podCidr)));
    await until(`${machine.name} to be Ready`, () => isReady(client, machine.name, startedAt), {
      timeoutMs: 60_000,
      everyMs: 200,
      signal,
    });
    return podCidr;
  })();
  return await within(machine, joining);
}

/** Imports an image's tar where the kubelet looks for images; `flags` are for `ctr images import`. */
export async function importImage(machine: Machine, ctr: string, tar: string, ...flags: string[]): Promise<void> {
  await machine.run(ctr, ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', ...flags, tar]);
}

/** What is waited for, with what the node's parts said last where it does not come; at once where the machine ends. */
async function within<T>(machine: Machine, waiting: Promise<T>): Promise<T> {
  const gone = machine.ended.then(ending => {
    throw internal(`the machine ${machine.name} ended with ${ending}`);
  });
  try {
    return await Promise.race([waiting, gone]);
  } catch (error) {
    const said = await Promise.all(
      ['kubelet', 'containerd'].map(async name => `${name}:\n${await machine.logTail(name)}`),
    );
    throw internal(`${(error as Error).message}\n${said.join('\n')}`, error);
  }
}

function socketAnswers(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = connect({ path });
    asked.on('error', reject);
    asked.on('connect', () => {
      asked.destroy();
      resolve();
    });
  });
}

/** Rejects where what is there does not say that it is well. */
export async function answers(url: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(url, { signal });
  const text = await answer.text();
  if (!answer.ok) throw unavailable(`answered ${answer.status}: ${text.slice(0, 200)}`);
}

/** What the node said before it was started this time is not what it says. */
async function isReady(client: KubeClient, name: string, since: number): Promise<boolean> {
  const { status } = await client.get(nodes, name);
  const { conditions = [] } = status as {
    conditions?: { type: string; status: string; lastHeartbeatTime: string }[];
  };
  return conditions.some(
    ({ type, status, lastHeartbeatTime }) =>
      type === 'Ready' && status === 'True' && Date.parse(lastHeartbeatTime) > since - 1_000,
  );
}
