/** Hosts judged before the first step: what is well passes in silence, what is not is named, all of it at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCluster } from '../config/index.ts';
import type { PreflightFacts } from './facts.ts';
import { judgeHosts, type Problem } from './preflight.ts';

const nodeOf = (index: number) => ({
  address: `10.0.0.${index}`,
  hostname_override: `n${index}`,
  user: 'root',
  role: ['etcd', 'controlplane', 'worker'],
  ssh_key: 'k',
});
const { spec } = await readCluster({ nodes: [nodeOf(1), nodeOf(2)] }, { dir: '.' });
const gib = 1024 ** 3;

const well = (index: number): PreflightFacts => ({
  clockAheadMs: 0,
  clockUnsureMs: 5,
  init: 'systemd',
  systemState: 'running',
  os: 'debian',
  osName: 'Debian GNU/Linux 12',
  arch: 'x86_64',
  kernel: '6.1.0-13-amd64',
  cgroups: ['cpu', 'memory', 'pids'],
  missingCommands: [],
  hasOverlay: true,
  hasBridgeFilter: true,
  hasVxlan: true,
  hasNat: true,
  hasNftables: true,
  hasSwap: false,
  memoryBytes: 8 * gib,
  freeBytes: { '/opt': 50 * gib, '/var/lib': 50 * gib },
  hostname: `n${index}`,
  resolvesOwnName: true,
  nameservers: ['10.0.0.53'],
  machineId: `machine-${index}`,
  bootId: `boot-${index}`,
  addresses: ['127.0.0.1', `10.0.0.${index}`],
  listening: [],
  activeUnits: [],
  foreignKubelets: [],
  hasOurs: false,
  hasEtcdData: false,
  leftovers: [],
  otherNetworks: [],
  canListen: true,
});

function judge(change: Partial<PreflightFacts>): Problem[] {
  const hosts = spec.nodes.map((node, index) => ({
    node,
    facts: index === 0 ? { ...well(1), ...change } : well(index + 1),
  }));
  return judgeHosts({ spec, hosts, authorities: ['OURS'], platform: 'linux-amd64', bundleBytes: gib });
}

test('two hosts that are well have no problem', () => {
  assert.deepEqual(judge({}), []);
});

const wrong: [Partial<PreflightFacts>, Problem['severity'], string, RegExp][] = [
  [{ init: 'init' }, 'error', 'systemd', /its first process is init/],
  [{ arch: 'aarch64' }, 'error', 'arch', /the bundle is for linux-amd64/],
  [{ kernel: '3.10.0' }, 'error', 'kernel', /4\.19 or newer/],
  [{ cgroups: ['cpu'] }, 'error', 'cgroups', /memory, pids/],
  [{ missingCommands: ['iptables', 'conntrack'] }, 'error', 'commands', /iptables, conntrack/],
  [{ hasOverlay: false }, 'error', 'modules', /overlay/],
  [{ hasVxlan: false }, 'error', 'modules', /vxlan/],
  [{ freeBytes: { '/opt': 100, '/var/lib': 50 * gib } }, 'error', 'disk', /the bundle takes 1024 MiB/],
  [{ clockAheadMs: 3_600_000 }, 'error', 'clock', /3600 s ahead of/],
  [{ clockAheadMs: -10_000 }, 'warning', 'clock', /10 s behind/],
  [
    { listening: [{ protocol: 'tcp', address: '0.0.0.0', port: 6443, program: '/usr/bin/k3s' }] },
    'error',
    'port',
    /6443\/tcp \(kube-apiserver\) is in use by \/usr\/bin\/k3s/,
  ],
  [{ addresses: ['192.168.1.5'] }, 'error', 'internal_address', /no interface has 10\.0\.0\.1/],
  [{ authority: 'THEIRS' }, 'error', 'cluster', /belongs to another cluster/],
  [{ hasEtcdData: true }, 'error', 'cluster', /another cluster's data/],
  [{ activeUnits: ['k3s'] }, 'error', 'kubernetes', /another Kubernetes runs on it: k3s/],
  [{ hostname: 'n2' }, 'error', 'hostname', /same hostname n/],
  [{ machineId: 'machine-2' }, 'error', 'machine_id', /a clone/],
  [{ nameservers: [] }, 'warning', 'dns', /knows no nameserver/],
  [{ activeUnits: ['firewalld'] }, 'warning', 'firewall', /firewalld is active/],
];
for (const [change, severity, field, message] of wrong) {
  test(`${severity} ${field}: ${JSON.stringify(change)}`, () => {
    const found = judge(change);
    assert.ok(
      found.some(one => one.severity === severity && one.field === field && message.test(one.message)),
      JSON.stringify(found),
    );
  });
}

test('what of this cluster is there already is no problem', () => {
  const ours = { authority: 'OURS', hasEtcdData: true, hasOurs: true };
  const socket = {
    protocol: 'tcp',
    address: '0.0.0.0',
    port: 6443,
    program: '/opt/drover/0123/bin/kube-apiserver',
  } as const;
  assert.deepEqual(judge({ ...ours, listening: [socket] }), []);
});

test('all problems of all hosts are told', () => {
  const found = judge({ init: 'init', kernel: '3.10.0', clockAheadMs: 100_000 });
  assert.deepEqual(
    found.map(({ field }) => field),
    ['systemd', 'kernel', 'clock'],
  );
});
