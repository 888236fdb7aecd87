/**
 * How a test host comes up: a root file system of its own (an overlay over the common one), its own namespaces, and systemd as
 * its first process. State that must not lie on an overlay is bound from plain directories.
 */

/** Arguments: state folder, common root, host name. Runs as the first process of new namespaces and becomes systemd. */
export const bootScript = `
set -e
state=$1; base=$2; name=$3
mount --make-rprivate /
mkdir -p "$state/upper" "$state/work" "$state/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$state/upper,workdir=$state/work" "$state/root"
cd "$state/root"
for dir in var/lib/drover var/lib/kubelet var/lib/etcd var/lib/containerd var/log opt; do
  mkdir -p "$state/data/$dir" "$dir"
  mount --bind "$state/data/$dir" "$dir"
done
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup
while read -r controller rest; do
  case "$controller" in \\#*) continue;; esac
  mkdir -p "sys/fs/cgroup/$controller"
  mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller" 2>/dev/null || rmdir "sys/fs/cgroup/$controller"
done </proc/cgroups
mkdir -p sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty kmsg fuse; do
  [ -e "/dev/$node" ] || continue
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir -p dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock tmp
mount -t tmpfs tmpfs tmp
if [ -d /lib/modules ]; then mkdir -p lib/modules; mount --bind -o ro /lib/modules lib/modules; fi
hostname "$name"
echo "$name" >etc/hostname
printf '127.0.0.1 localhost %s\\n::1 localhost\\n' "$name" >etc/hosts
: >etc/resolv.conf
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old 2>/dev/null || true
mount --make-rshared /
exec env -i container=drover-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=console --log-level=warning
`;
