/**
 * Looks at one host with one script: what it is, which of our files, units, bundles and images it has. Nothing is changed but that
 * kernel modules are loaded, without which the answer would differ afterwards.
 */
import { unavailable } from '@drover/base';
import type { Executor } from '../hosts/executor.ts';
import { bundlesDir, containerdSocket, etcdDataDir, pinnedFilter, unitPrefix, unitsDir } from '../node/paths.ts';
import type { SeenHost, SeenUnit } from './seen.ts';

const script = `
set -u
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
for m in overlay br_netfilter vxlan nf_conntrack; do modprobe $m 2>/dev/null; done
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo cgroup 2; else echo cgroup 1; fi
echo capabilities "$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/1/status)"
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] && echo bridge-netfilter
for f in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
  [ -f "$f" ] || continue
  echo resolv-conf "$f"
  sed -n 's/^nameserver[[:space:]]*//p' "$f" | while read -r server rest; do echo nameserver "$server"; done
  break
done
for d in ${bundlesDir}/*/; do [ -f "$d/.complete" ] && echo bundle "$(basename "$d")"; done
[ -d ${etcdDataDir}/member ] && echo etcd-data
for path in ${unitsDir}/${unitPrefix}*.service; do
  [ -f "$path" ] || continue
  unit=$(basename "$path")
  pid=$(systemctl show -p MainPID --value "$unit")
  inputs=
  [ "\${pid:-0}" != 0 ] && inputs=$(tr '\\0' '\\n' <"/proc/$pid/environ" | sed -n 's/^DROVER_INPUTS=//p')
  echo unit "$unit" "$(systemctl show -p ActiveState --value "$unit")" "$(systemctl is-enabled "$unit" 2>/dev/null)" "$inputs"
done
for ctr in ${bundlesDir}/*/bin/ctr; do
  [ -x "$ctr" ] && [ -S ${containerdSocket} ] || continue
  "$ctr" --address ${containerdSocket} --namespace k8s.io images list --quiet '${pinnedFilter}' | while read -r image; do echo image "$image"; done
  break
done
find /etc/kubernetes /etc/drover /etc/cni/net.d/10-drover.conflist /etc/sysctl.d/90-drover.conf /etc/modules-load.d/drover.conf \\
  -type f 2>/dev/null | while read -r f; do
  echo file "$(stat -c %a "$f")" "$(sha256sum <"$f" | cut -c1-64)" "$f"
done
true
`;

/** CAP_SYS_RESOURCE, see capabilities(7). */
const sysResource = 24n;

export async function lookAtHost(executor: Executor, signal?: AbortSignal): Promise<SeenHost> {
  const { code, stdout, stderr } = await executor.run(['sh', '-c', script], { signal });
  if (code !== 0)
    throw unavailable(`${executor.host} can't be looked at: ${stderr.trim().slice(-500) || `exit ${code}`}`);
  return parseLook(stdout);
}

/** Pure, for tests. */
export function parseLook(text: string): SeenHost {
  const words = new Map<string, string[][]>();
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.split(' ');
    const lines = words.get(word);
    if (lines) lines.push(rest);
    else words.set(word, [rest]);
  }
  const all = (word: string) => words.get(word) ?? [];
  const one = (word: string) => all(word)[0]?.[0];
  const units = new Map<string, SeenUnit>();
  for (const [name = '', state, enabled, inputs] of all('unit'))
    units.set(name, { active: state === 'active', enabled: enabled === 'enabled', inputs: inputs || undefined });
  const files = new Map(
    all('file').map(([mode = '', sha256 = '', ...path]) => [
      path.join(' '),
      { mode: Number.parseInt(mode, 8), sha256 },
    ]),
  );
  return {
    facts: {
      cgroupVersion: one('cgroup') === '2' ? 2 : 1,
      canRaiseLimits: ((BigInt(`0x${one('capabilities') || '0'}`) >> sysResource) & 1n) === 1n,
      bridgeNetfilter: words.has('bridge-netfilter'),
      resolvConf: one('resolv-conf') ?? '',
      nameservers: all('nameserver').flatMap(([server]) => (server ? [server] : [])),
    },
    files,
    units,
    bundles: all('bundle').flatMap(([name]) => (name ? [name] : [])),
    images: new Set(all('image').flatMap(([name]) => (name ? [name] : []))),
    hasEtcdData: words.has('etcd-data'),
  };
}
