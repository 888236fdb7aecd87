/**
 * The node of the local cluster: on a machine of its own within this one, from a bundle, with names, figures and network policies. It
 * reaches the kube-apiserver by a socket in its own namespace that leads to our loopback, and registries through us.
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ignoreNotFound, type Log, messageOf, notFound } from '@drover/base';
import { KubeClient, nodes, writeFileAtomic } from '@drover/kube';
import { accessObjects } from '../addons/access.ts';
import { corednsObjects } from '../addons/coredns.ts';
import { metricsServerObjects } from '../addons/metrics-server.ts';
import type { Bundle } from '../bundle/bundle.ts';
import { containerdConfig } from '../bundle/node-config.ts';
import type { LocalCluster } from '../local/cluster.ts';
import { serviceCidr } from '../local/components.ts';
import { certKubeconfig } from '../local/kubeconfig.ts';
import { networkPolicyPort } from '../node/paths.ts';
import { issueCert } from '../pki/certificate.ts';
import { ensureCa } from '../pki/store.ts';
import { applyAddon } from '../plan/apply-addon.ts';
import { openImageProxy } from './image-proxy.ts';
import { loadImages } from './images.ts';
import { listenInside, passOnTo } from './inside.ts';
import { leadInto, removeLinks } from './link.ts';
import { clearMachine, type Machine, startMachine } from './machine.ts';
import type { Addresses } from './range.ts';
import { answers, startNode } from './start-node.ts';

export interface LocalNodeOptions {
  /** All of its state. */
  readonly stateDir: string;
  /** Tars of images that somebody put there for it. */
  readonly imagesDir: string;
  readonly cluster: LocalCluster;
  readonly addresses: Addresses;
  readonly bundle: Bundle;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

export interface LocalNode extends AsyncDisposable {
  readonly name: string;
  /** How it ended, where it did so by itself. */
  readonly ended: Promise<string>;
}

const name = 'local-node';
const dns = { server: '10.43.0.10', domain: 'cluster.local' };
/** What containers are given to end by themselves when we stop. */
const graceMs = 3_000;

const cgroupOf = (stateDir: string): string =>
  `drover-local-${createHash('sha256').update(stateDir).digest('hex').slice(0, 8)}`;

/** Takes away what a run of the node whose state is there has left, however it ended. */
export async function clearLocalNode(stateDir: string, log: Log): Promise<void> {
  await clearMachine({ stateDir, cgroup: cgroupOf(stateDir), log });
  await removeLinks(stateDir);
}

/** Resolves once it is Ready; disposing it leaves nothing of it but its directory. */
export async function startLocalNode(options: LocalNodeOptions): Promise<LocalNode> {
  const { stateDir, cluster, addresses, bundle, log, signal } = options;
  await using undo = new AsyncDisposableStack();
  const client = undo.use(new KubeClient(cluster.connection));
  const toolsDir = dirname(dirname(bundle.file('bin/containerd')));
  undo.defer(() => removeLinks(stateDir));
  const machine = undo.use(await startMachine({ name, stateDir, cgroup: cgroupOf(stateDir), toolsDir, log }));
  await leadInto(machine.pid, addresses, { stateDir, serviceCidr });
  const port = Number(new URL(cluster.connection.server).port);
  undo.use(await listenInside(machine.pid, { host: addresses.node, port }, passOnTo(port)));
  const proxy = undo.use(openImageProxy());
  const entry = undo.use(await listenInside(machine.pid, { host: '127.0.0.1', port: 0 }, socket => proxy.take(socket)));
  const way = `http://${proxy.user}:${proxy.password.reveal()}@127.0.0.1:${entry.port}`;

  await forgetOther(client, addresses);
  const ca = await ensureCa(cluster.pkiDir, 'ca', 'drover-local-ca');
  const server = `https://${addresses.node}:${port}`;
  const bin = (program: string) => bundle.file(`bin/${program}`);
  const [podCidr] = await Promise.all([
    startNode({
      machine,
      address: addresses.node,
      programs: {
        containerd: bin('containerd'),
        ctr: bin('ctr'),
        kubelet: bin('kubelet'),
        'kube-proxy': bin('kube-proxy'),
      },
      runtimeConfig: ({ socket, cniDir }) =>
        containerdConfig({
          bundleDir: toolsDir,
          socket,
          pauseImage: imageOf(bundle, 'pause'),
          cgroupDriver: 'cgroupfs',
          restrictOomScoreAdj: true,
          cni: { binDirs: [join(toolsDir, 'cni')], confDir: cniDir },
        }),
      runtimeEnv: { PATH: `${join(toolsDir, 'bin')}:${process.env['PATH']}`, HTTPS_PROXY: way },
      ca,
      server,
      client,
      clusterCidr: addresses.podCidr,
      dns,
      loadImages: () => loadImages({ machine, bundle, ctr: bin('ctr'), imagesDir: options.imagesDir, log }),
      signal,
    }),
    applyAddons(client, bundle, signal),
  ]);
  const user = 'system:drover:network';
  const identity = await issueCert(ca, { commonName: user, usages: ['client'] });
  const kubeconfig = join(stateDir, 'etc', 'network-policy.kubeconfig');
  await writeFileAtomic(kubeconfig, certKubeconfig({ server, ca: ca.cert, user, identity }));
  keepPolicies(machine, bin('network-policy'), { kubeconfig, address: addresses.node });
  log.info({ node: name, podCidr, version: bundle.manifest.versions['kubernetes'] }, 'the local node is ready');

  undo.defer(() =>
    machine.quiesce(graceMs).catch(error => log.warn({ error: messageOf(error) }, 'pods were not asked to end')),
  );
  const running = undo.move();
  return { name, ended: machine.ended, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function keepPolicies(machine: Machine, program: string, to: { kubeconfig: string; address: string }): void {
  const url = `${to.address}:${networkPolicyPort}`;
  machine.start('network-policy', program, [`--node=${name}`, `--kubeconfig=${to.kubeconfig}`, `--listen=${url}`], {
    probe: probing => answers(`http://${url}/healthz`, probing),
  });
}

/** A node of a range that had to be given up is no longer this one: the pods it had are made again. */
async function forgetOther(client: KubeClient, { prefix }: Addresses): Promise<void> {
  const known = await ignoreNotFound(client.get(nodes, name));
  const podCidr = (known?.spec as { podCIDR?: string } | undefined)?.podCIDR;
  if (podCidr !== undefined && !podCidr.startsWith(`${prefix}.`)) await client.delete(nodes, name);
}

async function applyAddons(client: KubeClient, bundle: Bundle, signal: AbortSignal | undefined): Promise<void> {
  const spec = {
    // Pods have no way to a nameserver of the world.
    dns: { upstreamNameservers: [], reverseCidrs: [], stubDomains: {} },
    kubelet: { clusterDnsServer: dns.server, clusterDomain: dns.domain },
    nodes: [name],
  };
  const coredns = corednsObjects({ spec, image: imageOf(bundle, 'coredns'), hasUpstream: false });
  const metrics = metricsServerObjects({ image: imageOf(bundle, 'metrics-server'), replicas: 1 });
  for (const [addon, resources] of [
    ['drover-access', accessObjects()],
    ['rke-coredns-addon', coredns],
    ['rke-metrics-addon', metrics],
  ] as const)
    await applyAddon({ name: addon, resources }, client, signal);
}

function imageOf(bundle: Bundle, role: string): string {
  const image = bundle.manifest.images[role];
  if (!image) throw notFound('image of the bundle', role);
  return image.name;
}
