#!/bin/sh
# Makes a machine out of an unpacked root, as the first process of new mount, PID, network, IPC, UTS and cgroup
# namespaces: all that the machine has is gone when this process ends.
#
#   boot.sh LOWER WORK CGROUPS INIT PATH...
#
# LOWER is the root, only read; WORK an empty folder to mount over; CGROUPS is v1 or v2; INIT is tini or systemd; each
# PATH, a file or a folder, is seen by the machine where it is. The first line of output is the process id outside, the second one "ready".
set -eu
lower=$1 work=$2 cgroups=$3 init=$4
shift 4

read -r pid _ </proc/self/stat # what /proc is mounted here still counts as outside
echo "$pid"
hierarchies=$(cat /proc/self/cgroup)

mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root" "$work/data"
mount -t overlay -o "lowerdir=$lower,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
cd "$work/root"

mount -t proc -o nosuid,noexec,nodev proc proc
mount -t sysfs -o nosuid,noexec,nodev sysfs sys
mount -t tmpfs -o nosuid,mode=755 tmpfs run
mkdir data
mount --bind "$work/data" data # for what engines store: they make overlays of their own, which an overlay cannot carry

mkdir -p etc/systemd/system
ln -s /dev/null etc/systemd/system/tmp.mount # it would hide what is shared below /tmp

mount -t tmpfs -o nosuid,mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
node() { # node NAME MAJOR MINOR: a character device for everybody
  mknod -m 666 "dev/$1" c "$2" "$3"
}
node null 1 3
node zero 1 5
node full 1 7
node random 1 8
node urandom 1 9
node tty 5 0
node fuse 10 229

if [ "$cgroups" = v2 ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  [ "$init" = systemd ] || sed 's/\w\+/+&/g' sys/fs/cgroup/cgroup.controllers >sys/fs/cgroup/cgroup.subtree_control
else
  mount -t tmpfs -o nosuid,noexec,nodev,mode=755 tmpfs sys/fs/cgroup
  echo "$hierarchies" | while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] || continue # the v2 hierarchy, beside which crun would use no other
    folder=sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    case $controllers in
    name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" ;;
    *) mount -t cgroup -o "$controllers" cgroup "$folder" ;;
    esac
  done
fi

for path; do
  if [ -d "$path" ]; then
    mkdir -p ".$path"
  else
    mkdir -p ".${path%/*}"
    : >".$path"
  fi
  mount --rbind "$path" ".$path"
done

hostname linkspan-test
echo 1 >proc/sys/net/ipv4/ip_forward # else Docker warns
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up 2>/dev/null || true
echo ready
[ "$init" = tini ] || exec env container=linkspan /lib/systemd/systemd --unit=basic.target
exec tini -- sleep infinity
