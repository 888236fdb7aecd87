/**
 * Judges hosts before the first step: every problem of every host at once, so that a person mends them in one go. Pure; what it
 * judges was gathered before.
 */
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import type { Listening, PreflightFacts } from './facts.ts';
import { portsOf } from './ports.ts';

export interface Problem {
  /** The node's name. */
  readonly host: string;
  /** What about it: `clock`, `port`, `disk`, …. */
  readonly field: string;
  readonly message: string;
  /** Nothing is begun with an error; a warning is shown. */
  readonly severity: 'error' | 'warning';
}

export interface JudgedHost {
  readonly node: NodeSpec;
  readonly facts: PreflightFacts;
}

export interface PreflightInput {
  readonly spec: ClusterSpec;
  readonly hosts: readonly JudgedHost[];
  /** PEM of every authority this cluster has or had: a host with another one is another cluster's. */
  readonly authorities: readonly string[];
  /** `linux-amd64`. */
  readonly platform: string;
  /** What the bundle takes on a host. */
  readonly bundleBytes: number;
}

type Finding = Omit<Problem, 'host'>;

const error = (field: string, message: string): Finding => ({ field, message, severity: 'error' });
const warning = (field: string, message: string): Finding => ({ field, message, severity: 'warning' });

export function judgeHosts(input: PreflightInput): Problem[] {
  const own = input.hosts.flatMap(host =>
    checks.flatMap(check => check(host, input)).map(finding => ({ host: host.node.name, ...finding })),
  );
  return [...own, ...duplicates(input)];
}

type Check = (host: JudgedHost, input: PreflightInput) => Finding[];

const when = (wrong: boolean, finding: () => Finding): Finding[] => (wrong ? [finding()] : []);

const checks: readonly Check[] = [
  ({ facts }) =>
    when(facts.init !== 'systemd', () =>
      error('systemd', `its first process is ${facts.init || 'unknown'}; it needs systemd`),
    ),
  ({ facts: { init, systemState } }) =>
    when(init === 'systemd' && !['running', 'degraded', 'starting'].includes(systemState), () =>
      error('systemd', `systemd is ${systemState || 'not answering'}; it has to be running`),
    ),
  ({ facts }, { platform }) =>
    when(platformOf(facts.arch) !== platform, () =>
      error('arch', `it is ${facts.arch}; the bundle is for ${platform}`),
    ),
  ({ facts: { kernel } }) =>
    when(isOlder(kernel, [4, 19]), () => error('kernel', `its kernel is ${kernel}; 4.19 or newer is needed`)),
  ({ facts: { os, osName } }) =>
    when(!knownSystems.has(os), () =>
      warning('os', `${osName || os || 'its system'} is not among those that are known to work`),
    ),
  ({ facts }) => {
    // Docker's own trees name two in one.
    const there = new Set(facts.cgroups);
    const missing = ['cpu', 'memory', 'pids'].filter(name => !there.has(name));
    return when(missing.length > 0, () => error('cgroups', `without the control groups ${missing.join(', ')}`));
  },
  ({ facts: { missingCommands } }, { spec }) => {
    const needed = missingCommands.filter(name => name !== 'nft' || spec.network.policy);
    return when(needed.length > 0, () => error('commands', `not installed: ${needed.join(', ')}`));
  },
  kernelAbilities,
  ({ facts }, { spec }) =>
    when(facts.hasSwap && spec.kubelet.failSwapOn, () =>
      error('swap', 'swap is on and fail_swap_on is set: switch it off, or leave fail_swap_on out'),
    ),
  ({ facts: { memoryBytes }, node }) => {
    const needed = node.roles.includes('controlplane') ? 1536 : 768;
    return when(memoryBytes > 0 && memoryBytes < needed * mib, () =>
      warning(
        'memory',
        `${Math.round(memoryBytes / mib)} MiB of memory; ${needed} MiB or more is wise for ${node.roles.join(', ')}`,
      ),
    );
  },
  space,
  clock,
  ports,
  names,
  ({ facts, node }) =>
    when(isIp(node.internalAddress) && !facts.addresses.includes(node.internalAddress), () =>
      error(
        'internal_address',
        `no interface has ${node.internalAddress}; set internal_address to one of ${own(facts)}`,
      ),
    ),
  belonging,
  ({ facts: { activeUnits, foreignKubelets } }) => {
    const clusters = activeUnits.filter(name => !firewalls.has(name));
    const running = [...clusters, ...foreignKubelets];
    return when(running.length > 0, () => error('kubernetes', `another Kubernetes runs on it: ${running.join(', ')}`));
  },
  ({ facts: { activeUnits } }) =>
    activeUnits
      .filter(name => firewalls.has(name))
      .map(name =>
        warning('firewall', `${name} is active; pods need it to let the cluster's ports and forwarded packets pass`),
      ),
  ({ facts: { otherNetworks } }) =>
    otherNetworks.map(path => {
      // containerd takes the first by name.
      const first = (path.split('/').at(-1) ?? '') < '10-drover.conflist';
      return (first ? error : warning)('network', `${path} is another pod network's; remove it`);
    }),
  ({ facts: { leftovers } }) =>
    when(leftovers.length > 0, () =>
      warning('leftovers', `files of another cluster are on it: ${leftovers.join(', ')}`),
    ),
];

const mib = 1024 * 1024;
const gib = 1024 * mib;
const firewalls: ReadonlySet<string> = new Set(['firewalld', 'ufw']);
const knownSystems: ReadonlySet<string> = new Set(
  [
    'almalinux',
    'amzn',
    'centos',
    'debian',
    'fedora',
    'flatcar',
    'ol',
    'opensuse-leap',
    'rhel',
    'rocky',
    'sles',
    'ubuntu',
  ].values(),
);

function platformOf(arch: string): string {
  const known: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
  return `linux-${known[arch] ?? arch}`;
}

function isOlder(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, a = 0, b = 0] = (/^(\d+)\.(\d+)/.exec(kernel) ?? []).map(Number);
  return a < major || (a === major && b < minor);
}

const isIp = (address: string): boolean => /^[\d.]+$|:/.test(address);

const own = ({ addresses }: PreflightFacts): string =>
  addresses
    .filter(address => address !== '127.0.0.1' && address !== '::1' && !address.startsWith('fe80:'))
    .join(', ') || 'those that it has';

function kernelAbilities({ facts }: JudgedHost, { spec }: PreflightInput): Finding[] {
  const vxlan = spec.network.plugin === 'vxlan';
  return [
    ...when(!facts.hasOverlay, () => error('modules', 'its kernel has no overlay file system (module overlay)')),
    ...when(vxlan && !facts.hasVxlan, () => error('modules', 'its kernel makes no VXLAN interface (module vxlan)')),
    ...when(!facts.hasNat && !facts.missingCommands.includes('iptables'), () =>
      error('modules', 'iptables has no NAT table (modules nf_nat, nf_tables or iptable_nat)'),
    ),
    ...when(spec.network.policy && !facts.hasNftables && !facts.missingCommands.includes('nft'), () =>
      error('modules', 'nft does not work, which enforces network policies (module nf_tables)'),
    ),
    ...when(!facts.hasBridgeFilter, () =>
      warning(
        'modules',
        `packets between pods of one node pass no rules (module br_netfilter); they are masqueraded instead${
          spec.network.policy ? ', and network policies do not hold between them' : ''
        }`,
      ),
    ),
  ];
}

function space({ facts, node }: JudgedHost, { bundleBytes }: PreflightInput): Finding[] {
  const opt = facts.freeBytes['/opt'] ?? 0;
  const lib = facts.freeBytes['/var/lib'] ?? 0;
  // What is there already needs no room any more.
  const needed = facts.hasOurs ? 0 : bundleBytes;
  const etcd = node.roles.includes('etcd') ? gib : 0;
  return [
    ...when(opt < needed, () => error('disk', `${inMib(opt)} are free in /opt; the bundle takes ${inMib(needed)}`)),
    ...when(lib < gib + etcd, () =>
      error('disk', `${inMib(lib)} are free in /var/lib; ${inMib(gib + etcd)} are needed`),
    ),
    ...when(lib >= gib + etcd && lib < 5 * gib + etcd, () =>
      warning('disk', `${inMib(lib)} are free in /var/lib; images and logs of pods want 5 GiB or more`),
    ),
  ];
}

const inMib = (bytes: number): string => `${Math.round(bytes / mib)} MiB`;

function clock({ facts: { clockAheadMs, clockUnsureMs } }: JudgedHost): Finding[] {
  const off = Math.max(0, Math.abs(clockAheadMs) - clockUnsureMs);
  const where = clockAheadMs > 0 ? 'ahead of' : 'behind';
  const message = `its clock is ${Math.round(off / 1000)} s ${where} this machine's; certificates and etcd need them together`;
  if (off > 60_000) return [error('clock', message)];
  return when(off > 5_000, () => warning('clock', message));
}

function ports({ facts, node }: JudgedHost, { spec }: PreflightInput): Finding[] {
  return portsOf(node.roles, spec).flatMap(({ port, protocol, what }) => {
    const user = facts.listening.find(
      socket => socket.port === port && socket.protocol === protocol && clashes(socket, node),
    );
    // The kernel's own (VXLAN) has no program; next to units of ours it is ours.
    if (!user || user.program.startsWith('/opt/drover/') || (facts.hasOurs && user.program === '')) return [];
    const by = user.program || 'the kernel';
    return [error('port', `${port}/${protocol} (${what}) is in use by ${by}`)];
  });
}

const clashes = ({ address }: Listening, node: NodeSpec): boolean =>
  ['0.0.0.0', '*', '::', '127.0.0.1', node.internalAddress].includes(address);

function names({ facts }: JudgedHost): Finding[] {
  const { hostname, machineId, nameservers, resolvesOwnName } = facts;
  return [
    ...when(hostname === '' || hostname.startsWith('localhost'), () =>
      error('hostname', `its name is "${hostname}"; give it one of its own`),
    ),
    ...when(hostname !== '' && !resolvesOwnName, () =>
      warning('hostname', `its own name ${hostname} has no address on it (/etc/hosts)`),
    ),
    ...when(machineId === '', () => error('machine_id', '/etc/machine-id is empty: run systemd-machine-id-setup')),
    ...when(nameservers.length === 0, () =>
      warning('dns', 'it knows no nameserver: pods will find names of the cluster only'),
    ),
    ...when(
      nameservers.some(server => server.startsWith('127.')),
      () =>
        warning(
          'dns',
          `its nameserver ${nameservers.find(server => server.startsWith('127.'))} is its own loopback, which pods can't reach`,
        ),
    ),
  ];
}

function belonging({ facts, node }: JudgedHost, { authorities }: PreflightInput): Finding[] {
  const { authority, hasEtcdData } = facts;
  // While authorities are exchanged a host has two of them, or one of two.
  const isOurs = authority !== undefined && authorities.some(known => authority.includes(known.trim()));
  const how = 'clean the host first (`drover rke remove` with the files of that cluster, or by hand)';
  if (authority !== undefined && !isOurs)
    return [
      error('cluster', `it belongs to another cluster (/etc/kubernetes/ssl/kube-ca.pem is not this one's): ${how}`),
    ];
  return when(hasEtcdData && !isOurs && node.roles.includes('etcd'), () =>
    error('cluster', `/var/lib/etcd holds another cluster's data: ${how}`),
  );
}

/** What two hosts must not share. */
function duplicates({ hosts, spec }: PreflightInput): Problem[] {
  const problems: Problem[] = [];
  const among = (field: string, of: (host: JudgedHost) => string, say: (other: string, value: string) => string) => {
    const first = new Map<string, string>();
    for (const host of hosts) {
      const value = of(host);
      const { name } = host.node;
      const other = first.get(value);
      if (value !== '' && other !== undefined) problems.push({ host: name, ...error(field, say(other, value)) });
      else first.set(value, name);
    }
  };
  const isTwin = ({ facts }: JudgedHost) =>
    hosts.filter(other => other.facts.machineId === facts.machineId && other.facts.bootId === facts.bootId).length > 1;
  among(
    'address',
    ({ node }) => node.address,
    (other, value) => `${other} has the same address ${value}`,
  );
  among(
    'internal_address',
    ({ node }) => node.internalAddress,
    (other, value) => `${other} has the same internal address ${value}`,
  );
  among(
    'machine',
    host => (isTwin(host) ? host.facts.machineId : ''),
    other => `it is the same machine as ${other}`,
  );
  among(
    'machine_id',
    host => (isTwin(host) ? '' : host.facts.machineId),
    (other, value) =>
      `${other} has the same /etc/machine-id ${value}: a clone; remove the file and run systemd-machine-id-setup${
        spec.network.plugin === 'vxlan' ? ' (interfaces of the pod network would get the same hardware address)' : ''
      }`,
  );
  among(
    'hostname',
    host => (isTwin(host) ? '' : host.facts.hostname),
    (other, value) => `${other} has the same hostname ${value}`,
  );
  return problems;
}
