/**
 * Takes everything off a host that the engine has ever put there: units, processes of pods, mounts, interfaces, rules, files. Safe
 * on a host that has none of it, or half.
 */
import { internal } from '@drover/base';
import type { Executor } from '../hosts/executor.ts';
import { policyTable } from '../node/paths.ts';

const script = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
units=$(cd /etc/systemd/system && ls drover-*.service 2>/dev/null | grep -vx drover-containerd.service)
# Nobody waits for what is about to be gone: an API server without its etcd would take a minute to end.
for unit in $units; do systemctl stop --no-block "$unit" >/dev/null 2>&1; done
for unit in $units; do systemctl kill --signal=SIGKILL "$unit" >/dev/null 2>&1; done
for unit in $units; do systemctl disable --now "$unit" >/dev/null 2>&1; done
for ctr in /opt/drover/*/bin/ctr; do
  [ -x "$ctr" ] && [ -S /run/drover/containerd.sock ] || continue
  run="$ctr --address /run/drover/containerd.sock --namespace k8s.io"
  for task in $($run tasks list --quiet 2>/dev/null); do $run tasks kill --signal KILL --all "$task" >/dev/null 2>&1; done
  for task in $($run tasks list --quiet 2>/dev/null); do $run tasks delete --force "$task" >/dev/null 2>&1; done
  for container in $($run containers list --quiet 2>/dev/null); do $run containers delete "$container" >/dev/null 2>&1; done
  break
done
systemctl disable --now drover-containerd.service >/dev/null 2>&1
for pid in $(pgrep -f '^/opt/drover/[0-9a-f]*/bin/'); do kill -KILL "$pid" 2>/dev/null; done
for pass in 1 2 3; do
  awk '{print $2}' /proc/mounts | grep -E '^(/var/lib/kubelet|/run/drover|/var/lib/drover|/run/netns/cni-)' | sort -r | while read -r mount; do
    umount -l "$mount" 2>/dev/null
  done
done
for ns in $(ip netns list 2>/dev/null | awk '/^cni-/{print $1}'); do ip netns delete "$ns"; done
for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 kube-bridge dummy0; do ip link delete "$link" 2>/dev/null; done
for family in iptables ip6tables; do
  command -v $family-save >/dev/null || continue
  $family-save 2>/dev/null | grep -qE 'KUBE-|FLANNEL-|CNI-' || continue
  $family-save | grep -vE '(KUBE-|FLANNEL-|CNI-)' | $family-restore
done
if command -v nft >/dev/null; then
  for t in 'ip kube-proxy' 'ip6 kube-proxy' 'ip flannel-ipv4' 'ip6 flannel-ipv6' '${policyTable}'; do nft delete table $t 2>/dev/null; done
fi
if command -v ipset >/dev/null; then
  for set in $(ipset list -name 2>/dev/null | grep -E '^(KUBE-|inet6:KUBE-)'); do ipset destroy "$set" 2>/dev/null; done
fi
rm -rf /etc/systemd/system/drover-*.service /opt/drover /etc/drover /etc/kubernetes /etc/cni/net.d/10-drover.conflist \\
  /etc/sysctl.d/90-drover.conf /etc/modules-load.d/drover.conf /var/lib/cni /var/log/containers /var/log/pods /var/log/kube-audit /run/drover /run/flannel
# Any of these may be a disk of its own: what is in them goes.
for dir in /var/lib/drover /var/lib/kubelet /var/lib/etcd; do
  [ -d "$dir" ] || continue
  find "$dir" -mindepth 1 -delete 2>/dev/null
  rmdir "$dir" 2>/dev/null
done
rmdir /etc/cni/net.d /etc/cni /opt/cni 2>/dev/null
systemctl daemon-reload
systemctl reset-failed 'drover-*' 2>/dev/null
for left in /opt/drover /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/drover; do
  [ -z "$(ls -A "$left" 2>/dev/null)" ] || echo "$left"
done
true
`;

export async function resetHost(executor: Executor, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { code, stdout, stderr } = await executor.run(['sh', '-c', script], { timeoutMs: 300_000, ...options });
  const left = stdout.trim();
  if (code !== 0 || left !== '')
    throw internal(
      `${executor.host} could not be cleaned: ${left.replaceAll('\n', ', ')} ${stderr.trim().slice(-500)}`,
    );
}
