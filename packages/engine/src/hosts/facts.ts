/**
 * What one host says of itself, gathered by one script before anything is changed on it. The script only looks, but for a VXLAN
 * interface that it makes and removes: whether a kernel can is not written anywhere.
 */
import { unavailable } from '@drover/base';
import type { Executor } from './executor.ts';

export interface Listening {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Of the process's file; empty for the kernel's own sockets. */
  readonly program: string;
}

export interface PreflightFacts {
  /** Of the host's clock against ours; what the way there took may be in it. */
  readonly clockAheadMs: number;
  readonly clockUnsureMs: number;
  readonly init: string;
  /** `running`, `degraded`, …, as systemctl says. */
  readonly systemState: string;
  readonly os: string;
  readonly osName: string;
  readonly arch: string;
  readonly kernel: string;
  /** Controllers that are there, of either version. */
  readonly cgroups: readonly string[];
  readonly missingCommands: readonly string[];
  readonly hasOverlay: boolean;
  readonly hasBridgeFilter: boolean;
  readonly hasVxlan: boolean;
  readonly hasNat: boolean;
  readonly hasNftables: boolean;
  readonly hasSwap: boolean;
  readonly memoryBytes: number;
  /** By folder; of the file system that it is or would be on. */
  readonly freeBytes: Readonly<Record<string, number>>;
  readonly hostname: string;
  readonly resolvesOwnName: boolean;
  readonly nameservers: readonly string[];
  readonly machineId: string;
  readonly bootId: string;
  readonly addresses: readonly string[];
  readonly listening: readonly Listening[];
  /** Active units that bring a Kubernetes of their own, or a firewall. */
  readonly activeUnits: readonly string[];
  /** Files of kubelets that run and are not ours. */
  readonly foreignKubelets: readonly string[];
  /** Whether units of ours are there. */
  readonly hasOurs: boolean;
  /** Text of `/etc/kubernetes/ssl/kube-ca.pem`. */
  readonly authority?: string;
  readonly hasEtcdData: boolean;
  /** Files of other installers. */
  readonly leftovers: readonly string[];
  readonly otherNetworks: readonly string[];
  readonly canListen: boolean;
}

const commands =
  'awk cat cut find grep iptables iptables-restore iptables-save journalctl mount nft sed sha256sum ss stat systemctl tr umount';

const script = `
say() { echo "$@"; }
# What listened for a run that was killed.
systemctl stop 'drover-preflight-*' 2>/dev/null
say init "$(cat /proc/1/comm)"
say system-state "$(systemctl is-system-running 2>/dev/null)"
say os "$(. /etc/os-release 2>/dev/null; echo "$ID")"
say os-name "$(. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")"
say arch "$(uname -m)"
say kernel "$(uname -r)"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then say cgroups "$(cat /sys/fs/cgroup/cgroup.controllers)"
else say cgroups "$(ls /sys/fs/cgroup 2>/dev/null | tr '\\n' ' ')"; fi
for c in ${commands}; do command -v $c >/dev/null || say missing $c; done
can() { [ -d "/sys/module/$1" ] || modprobe -n -q "$1" 2>/dev/null; }
{ grep -qw overlay /proc/filesystems || can overlay; } && say has overlay
{ [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || can br_netfilter; } && say has bridge-filter
ip link add drover-probe type vxlan id 16777214 dstport 61999 2>/dev/null && { say has vxlan; ip link delete drover-probe; }
iptables -w 5 -t nat -S >/dev/null 2>&1 && say has nat
nft list tables >/dev/null 2>&1 && say has nftables
[ "$(wc -l </proc/swaps)" -gt 1 ] && say has swap
say memory "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
for dir in /opt /var/lib /etc; do say free "$(df -Pk $dir 2>/dev/null | awk 'NR==2{print $4}')" $dir; done
say hostname "$(cat /proc/sys/kernel/hostname)"
getent hosts "$(cat /proc/sys/kernel/hostname)" >/dev/null 2>&1 && say has own-name
for f in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
  [ -f "$f" ] || continue
  sed -n 's/^nameserver[[:space:]]*//p' "$f" | while read -r server rest; do say nameserver "$server"; done
  break
done
say machine-id "$(cat /etc/machine-id 2>/dev/null)"
say boot-id "$(cat /proc/sys/kernel/random/boot_id)"
ip -o address show 2>/dev/null | awk '{split($4, a, "/"); print "address", a[1]}'
sockets() {
  ss -H -l -n -p "$1" 2>/dev/null | while read -r state q1 q2 local peer users; do
    pid=$(echo "$users" | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p')
    say listen $2 "$local" "$([ -n "$pid" ] && readlink "/proc/$pid/exe")"
  done
}
sockets -t tcp; sockets -u udp
for u in k3s k3s-agent rke2-server rke2-agent kubelet snap.microk8s.daemon-kubelite k0scontroller k0sworker firewalld ufw; do
  [ "$(systemctl is-active $u.service 2>/dev/null)" = active ] && say active $u
done
for f in /proc/[0-9]*/comm; do
  [ "$(cat "$f" 2>/dev/null)" = kubelet ] || continue
  exe=$(readlink "\${f%comm}exe"); case "$exe" in /opt/drover/*) ;; *) say kubelet "$exe";; esac
done
ls /etc/systemd/system/drover-*.service >/dev/null 2>&1 && say has ours
[ -f /etc/kubernetes/ssl/kube-ca.pem ] && say authority "$(base64 -w0 </etc/kubernetes/ssl/kube-ca.pem)"
[ -d /var/lib/etcd/member ] && say has etcd-data
for p in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests/*.yaml /etc/rancher/k3s /etc/rancher/rke2 /var/lib/rancher/k3s /var/lib/rancher/rke2 /var/lib/k0s; do
  [ -e "$p" ] && say leftover "$p"
done
for p in /etc/cni/net.d/*; do [ -f "$p" ] && case "$p" in */10-drover*|*/.*) ;; *) say network "$p";; esac; done
command -v systemd-socket-activate >/dev/null && command -v bash >/dev/null && say has listener
true
`;

export async function gatherFacts(executor: Executor, signal?: AbortSignal): Promise<PreflightFacts> {
  const { code, stdout, stderr } = await executor.run(['sh', '-c', script], { timeoutMs: 120_000, signal });
  if (code !== 0)
    throw unavailable(`${executor.host} can't be looked at: ${stderr.trim().slice(-500) || `exit ${code}`}`);
  return { ...parseFacts(stdout), ...(await readClock(executor, signal)) };
}

type Clock = Pick<PreflightFacts, 'clockAheadMs' | 'clockUnsureMs'>;

async function readClock(executor: Executor, signal: AbortSignal | undefined): Promise<Clock> {
  const before = Date.now();
  const { stdout } = await executor.run(['date', '+%s%N'], { signal });
  const after = Date.now();
  const there = Number(stdout.trim()) / 1e6;
  return { clockAheadMs: Math.round(there - (before + after) / 2), clockUnsureMs: (after - before) / 2 };
}

/** Pure, for tests. */
export function parseFacts(text: string): Omit<PreflightFacts, keyof Clock> {
  const words = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const word = space < 0 ? line : line.slice(0, space);
    words.set(word, [...(words.get(word) ?? []), space < 0 ? '' : line.slice(space + 1).trim()]);
  }
  const all = (word: string): string[] => (words.get(word) ?? []).filter(Boolean);
  const one = (word: string): string => words.get(word)?.[0] ?? '';
  const has = (what: string): boolean => all('has').includes(what);
  const authority = one('authority');
  return {
    init: one('init'),
    systemState: one('system-state'),
    os: one('os'),
    osName: one('os-name'),
    arch: one('arch'),
    kernel: one('kernel'),
    cgroups: one('cgroups').split(/[\s,]+/),
    missingCommands: all('missing'),
    hasOverlay: has('overlay'),
    hasBridgeFilter: has('bridge-filter'),
    hasVxlan: has('vxlan'),
    hasNat: has('nat'),
    hasNftables: has('nftables'),
    hasSwap: has('swap'),
    memoryBytes: Number(one('memory')) * 1024,
    freeBytes: Object.fromEntries(
      all('free').flatMap(line => {
        const [kib = '', dir = ''] = line.split(' ');
        return dir ? [[dir, Number(kib) * 1024]] : [];
      }),
    ),
    hostname: one('hostname'),
    resolvesOwnName: has('own-name'),
    nameservers: all('nameserver'),
    machineId: one('machine-id'),
    bootId: one('boot-id'),
    addresses: all('address'),
    listening: all('listen').flatMap(parseListening),
    activeUnits: all('active'),
    foreignKubelets: all('kubelet'),
    hasOurs: has('ours'),
    authority: authority ? Buffer.from(authority, 'base64').toString() : undefined,
    hasEtcdData: has('etcd-data'),
    leftovers: all('leftover'),
    otherNetworks: all('network'),
    canListen: has('listener'),
  };
}

/** `tcp [::]:22 /usr/sbin/sshd`, `udp 127.0.0.53%lo:53`. */
function parseListening(line: string): Listening[] {
  const [protocol, local = '', ...program] = line.split(' ');
  const colon = local.lastIndexOf(':');
  const port = Number(local.slice(colon + 1));
  if ((protocol !== 'tcp' && protocol !== 'udp') || !Number.isInteger(port)) return [];
  const address = local
    .slice(0, colon)
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '');
  return [{ protocol, address, port, program: program.join(' ') }];
}
