#!/bin/bash
# boot-debian.sh ROOT FOLDER: boots the systemd of a Debian root in namespaces of its own, over an overlay: ROOT stays as it is. As
# root. Prints the pid of its init; the machine ends when standard input does, so that a test that is killed leaves none behind.
# What would write to settings of the real machine is masked. FOLDER/shared is /shared in it.
set -euo pipefail
root=$(realpath "$1")
folder=$(realpath "$2")
mkdir -p "$folder"/{upper/etc/systemd/system,work,merged,shared}
for unit in systemd-{sysctl,udevd,udev-trigger,modules-load,tmpfiles-setup-dev,timesyncd,networkd,resolved,logind}; do
  ln -sfn /dev/null "$folder/upper/etc/systemd/system/$unit.service"
done
# Away from the caller's group, below which systemd makes its own. Version 2 is by itself, or beside version 1.
for groups in /sys/fs/cgroup/unified /sys/fs/cgroup; do
  [ -e "$groups/cgroup.procs" ] || continue
  callers=$groups$(sed -n 's/^0:://p' /proc/self/cgroup)
  own=$groups/pop3-test-$$
  mkdir "$own"
  echo $$ >"$own/cgroup.procs"
  break
done
export root folder
unshare -m -p -n -u -i -C --fork --kill-child bash -euc '
  mount --make-rprivate /
  ip link set lo up
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/upper,workdir=$folder/work" "$folder/merged"
  cd "$folder/merged"
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=755 tmpfs dev
  for name in null zero full random urandom tty; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
  done
  mkdir -p dev/pts dev/shm run/lock shared
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mount --bind "$folder/shared" shared
  hostname mx
  # Not chroot(2), in which there are no user namespaces; and shared, for what systemd mounts for a service.
  pivot_root . mnt
  umount -l /mnt
  mount --make-rshared /
  exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init --log-target=console --unit=multi-user.target
' &
unshare=$!
finish() {
  kill -KILL "$unshare" 2>/dev/null
  wait "$unshare" 2>/dev/null
  echo $$ >"$callers/cgroup.procs"
  until grep -q '^populated 0' "$own/cgroup.events"; do sleep 0.1; done
  find "$own" -depth -type d -exec rmdir {} + 2>/dev/null
}
trap 'set +e; finish' EXIT
until init=$(pgrep -P "$unshare") && [ "$(cat "/proc/$init/comm")" = systemd ]; do
  kill -0 "$unshare"
  sleep 0.1
done
echo "$init"
cat >/dev/null
