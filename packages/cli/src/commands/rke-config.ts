/** rke config: a cluster.yml to begin with, asked for or filled with what the options are when they are left out; versions and images. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { invalid } from '@drover/base';
import { defaultBundleDir, kubernetesVersions, openBundle, readClusterFile } from '@drover/engine';
import { stringify } from 'yaml';
import { say } from '../messages.ts';
import { askChoice, askText, askYes } from '../prompt.ts';

export interface ConfigFlags {
  readonly output?: string;
  readonly name?: string;
  readonly empty?: boolean;
  readonly print?: boolean;
  readonly listVersion?: boolean;
  readonly systemImages?: boolean;
  readonly all?: boolean;
  readonly bundle?: string;
}

/** Writes the file, or prints what was asked for. A file that is there is not written over. */
export async function config(flags: ConfigFlags): Promise<void> {
  if (flags.listVersion) return print((await versions(flags)).join('\n'));
  if (flags.systemImages) return print((await images(flags)).join('\n'));
  const path = resolve(flags.name ?? 'cluster.yml');
  if (!flags.print && existsSync(path)) throw invalid('--name', say('rkeConfigThere', { path }));
  const wanted = flags.empty ? { ...skeleton, nodes: [emptyNode] } : await ask();
  const text = stringify(wanted);
  // What is asked for is held to the same rules as what is written by hand.
  if (!flags.empty) await readClusterFile(text, { dir: process.cwd() });
  if (flags.print) return print(text.trimEnd());
  await writeFile(path, text, { mode: 0o640, flag: 'wx' });
  print(say('rkeConfigWritten', { path }));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Of the bundle that is there; with --all those that this version can make one of. */
async function versions(flags: ConfigFlags): Promise<string[]> {
  if (flags.all) return Object.values(kubernetesVersions);
  const { manifest } = await openBundle(flags.bundle ?? defaultBundleDir());
  return [manifest.versions['kubernetes'] ?? ''];
}

async function images(flags: ConfigFlags): Promise<string[]> {
  const { manifest } = await openBundle(flags.bundle ?? defaultBundleDir());
  return Object.values(manifest.images).map(({ name }) => name);
}

const emptyNode = {
  address: '',
  port: '22',
  internal_address: '',
  role: [],
  hostname_override: '',
  user: '',
  ssh_key_path: '',
  labels: {},
  taints: [],
};

/** As everything is when the file does not say. */
const skeleton = {
  cluster_name: 'local',
  ssh_key_path: '~/.ssh/id_rsa',
  ssh_agent_auth: false,
  services: {
    etcd: { extra_args: {}, backup_config: { enabled: true, interval_hours: 12, retention: 6 } },
    'kube-api': {
      service_cluster_ip_range: '10.43.0.0/16',
      service_node_port_range: '30000-32767',
      pod_security_configuration: 'privileged',
      always_pull_images: false,
      secrets_encryption_config: { enabled: false },
      extra_args: {},
    },
    'kube-controller': { cluster_cidr: '10.42.0.0/16', service_cluster_ip_range: '10.43.0.0/16', extra_args: {} },
    scheduler: { extra_args: {} },
    kubelet: {
      cluster_domain: 'cluster.local',
      cluster_dns_server: '10.43.0.10',
      fail_swap_on: false,
      extra_args: {},
    },
    kubeproxy: { extra_args: {} },
  },
  network: { plugin: 'canal' },
  authentication: { strategy: 'x509', sans: [] },
  authorization: { mode: 'rbac' },
  ingress: { provider: 'none' },
  monitoring: { provider: 'metrics-server' },
  addons: '',
  addons_include: [],
} as const;

async function ask(): Promise<object> {
  const text = (what: string, initial?: string) => askText(what, '--empty', initial);
  const keyPath = await text('Cluster-level SSH private key path', skeleton.ssh_key_path);
  const count = Number(await text('Number of hosts', '1'));
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw invalid('hosts', say('rkeHostCount'));
  const nodes: object[] = [];
  for (let index = 1; index <= count; index++) nodes.push(await askNode(index, text));
  const plugin = await askChoice('Network plugin', ['canal', 'flannel', 'none'], '--empty');
  const mode = await askChoice('Authorization mode', ['rbac', 'none'], '--empty');
  const domain = await text('Cluster domain', skeleton.services.kubelet.cluster_domain);
  const serviceRange = await text('Service cluster IP range', skeleton.services['kube-api'].service_cluster_ip_range);
  const podRange = await text('Cluster network CIDR', skeleton.services['kube-controller'].cluster_cidr);
  const dns = await text('Cluster DNS service IP', serviceRange.replace(/\.\d+\/.*$/, '.10'));
  const encrypted = await askYes('Encrypt Secrets at rest?', '--empty');
  const addons = (await text('Addon manifest files, separated by commas', ''))
    .split(',')
    .map(path => path.trim())
    .filter(Boolean);
  const { services } = skeleton;
  return {
    ...skeleton,
    cluster_name: await text('Name of the cluster', skeleton.cluster_name),
    ssh_key_path: keyPath,
    nodes,
    services: {
      ...services,
      'kube-api': {
        ...services['kube-api'],
        service_cluster_ip_range: serviceRange,
        secrets_encryption_config: { enabled: encrypted },
      },
      'kube-controller': {
        ...services['kube-controller'],
        cluster_cidr: podRange,
        service_cluster_ip_range: serviceRange,
      },
      kubelet: { ...services.kubelet, cluster_domain: domain, cluster_dns_server: dns },
    },
    network: { plugin },
    authorization: { mode },
    addons_include: addons,
  };
}

type AskText = (what: string, initial?: string) => Promise<string>;

async function askNode(index: number, text: AskText): Promise<object> {
  const about = (what: string) => `${what} of host (${index})`;
  const address = await text(about('SSH address'));
  const port = await text(about('SSH port'), '22');
  const user = await text(about('SSH user'), 'root');
  const role: string[] = [];
  for (const [name, words] of [
    ['controlplane', 'control plane host'],
    ['worker', 'worker host'],
    ['etcd', 'etcd host'],
  ] as const)
    if (await askYes(`Is host (${address}) a ${words}?`, '--empty', index === 1)) role.push(name);
  const name = await text(about('Name in Kubernetes'), address);
  const internal = await text(about('Internal address'), address);
  return { address, port, internal_address: internal, user, role, hostname_override: name };
}
