"""Failures of permissions: modes, groups, user namespaces, SELinux and AppArmor."""

import os

from linkspan.sim import toolkit
from linkspan.sim.failing import Failure
from linkspan.sim.failures.driver_inside import hook_error
from linkspan.sim.guests import ALL_GPUS, GPU_ENV, gpu_container, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import BOOTED, program
from linkspan.sim.spec import CAPS_MAJOR, SimSpec
from linkspan.sim.tree import Node, Tree, inside

VIDEO, VGLUSERS, ADA = 44, 1002, 1000
_PODMAN = SimSpec(gpus=2, engines=("podman",))
_MIG = SimSpec(gpus=1, model="A100", mig=("3g.20gb",), engines=("podman",))
_RHEL = SimSpec(gpus=2, layout="rhel", engines=("podman",))
ROOTLESS = SimSpec(gpus=2, engines=("rootless-docker",))
_MAPPED = "         0     100000      65536\n"


def close_nodes(machine: Machine, gid: int) -> None:
    """The driver was told to make its nodes for a group alone."""
    params = "/proc/driver/nvidia/params"
    machine.replace(params, "DeviceFileGID: 0", f"DeviceFileGID: {gid}")
    machine.replace(params, "DeviceFileMode: 438", f"DeviceFileMode: {0o660}")
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"):
        place = inside(machine.root, f"/dev/{name}")
        os.chmod(place, 0o660)
        os.chown(place, 0, gid)


def _denied_by_selinux(machine: Machine) -> None:
    machine.write("/sys/fs/selinux/enforce", "1")
    machine.write("/sys/fs/selinux/booleans/container_use_devices", "0 0")
    machine.put({"/usr/sbin/setsebool": program("setsebool")})
    line = (
        f"type=AVC msg=audit({BOOTED + 4000}.183:412): avc:  denied  {{ read write }} for  pid=2200 "
        'comm="nvidia-smi" path="/dev/nvidiactl" dev="devtmpfs" ino=812 '
        "scontext=system_u:system_r:container_t:s0:c114,c620 tcontext=system_u:object_r:xserver_misc_device_t:s0 "
        "tclass=chr_file permissive=0\n"
    )
    machine.write("/var/log/audit/audit.log", line, changed=RECENTLY)
    gpu_container(machine, 2200, engine="podman")


def _not_in_group(machine: Machine) -> None:
    close_nodes(machine, VIDEO)
    machine.write("/etc/group", f"root:x:0:\nvideo:x:{VIDEO}:ada\n")
    gpu_container(machine, 2201, uid=ADA, engine="podman")
    _close_inside(machine, 2201, VIDEO)


def _close_inside(machine: Machine, pid: int, gid: int) -> None:
    for name in ("nvidia0", "nvidiactl"):
        place = inside(machine.root, f"/proc/{pid}/root/dev/{name}")
        os.chmod(place, 0o660)
        os.chown(place, 0, gid)


def _virtualgl(machine: Machine) -> None:
    close_nodes(machine, VGLUSERS)
    machine.write("/etc/group", f"root:x:0:\nvglusers:x:{VGLUSERS}:ada\n")
    options = f"NVreg_DeviceFileUID=0 NVreg_DeviceFileGID={VGLUSERS} NVreg_DeviceFileMode=0660"
    machine.write("/etc/modprobe.d/virtualgl.conf", f"options nvidia {options}\n")
    machine.put({"/opt/VirtualGL/bin/vglserver_config": program("vglserver_config")})


def _node_lost_its_mode(machine: Machine) -> None:
    gpu_container(machine, 2202, engine="podman", uid=100000)
    machine.write("/proc/2202/uid_map", _MAPPED)
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
        os.chmod(inside(machine.root, f"/proc/2202/root/dev/{name}"), 0o444)


def _folder_closed(machine: Machine) -> None:
    cap: Tree = {"/dev/nvidia-caps/nvidia-cap12": Node(CAPS_MAJOR, 12, 0o444)}
    gpu_container(machine, 2203, engine="podman", uid=ADA + 1, files=cap)
    folder = inside(machine.root, "/proc/2203/root/dev/nvidia-caps")
    os.chmod(folder, 0o700)


def _one_id(machine: Machine) -> None:
    toolkit.install(machine)
    hook = '{"version": "1.0.0", "hook": {"path": "/usr/bin/nvidia-container-runtime-hook"}, "stages": ["prestart"]}\n'
    machine.write("/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json", hook)
    machine.write("/etc/subuid", "grace:100000:65536\n")
    storage = '[storage]\ndriver = "overlay"\n[storage.options.overlay]\nignore_chown_errors = "true"\n'
    machine.write("/home/ada/.config/containers/storage.conf", storage)


def _after_a_start(machine: Machine) -> None:
    machine.remove("/dev/nvidia*", "/dev/char/*")
    machine.write("/proc/modules", "nvidia 56807424 0 - Live 0x0000000000000000\n")
    machine.replace("/proc/devices", "510 nvidia-uvm\n", "")


def _nested_in_lxc(machine: Machine) -> None:
    toolkit.install(machine)
    machine.remove("/sys/fs/cgroup/cgroup.controllers")
    machine.write("/sys/fs/cgroup/devices/devices.list", "c 195:* rwm\n")
    machine.write("/proc/1/environ", b"container=lxc\0TERM=linux\0")
    machine.write("/proc/1/uid_map", _MAPPED)
    error = (
        "mount error: failed to add device rules: write "
        "/sys/fs/cgroup/devices/docker/1f00/devices.allow: operation not permitted"
    )
    kept_by_docker(machine, 51, "train", error=hook_error(error), env=GPU_ENV, requests=[ALL_GPUS])


def _covered_proc(machine: Machine) -> None:
    """As of a pod whose procMount is Unmasked, with a sandbox for the code that it is given."""
    gpu_container(machine, 2204, files={"/usr/bin/bwrap": program("bwrap")}, mounts=("/proc/driver/nvidia/params",))


def _restricted_namespaces(machine: Machine) -> None:
    machine.write("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")
    machine.write("/sys/kernel/security/apparmor/profiles", "unprivileged_userns (enforce)\nbusybox (unconfined)\n")
    machine.put({"/usr/bin/rootlesskit": program("rootlesskit"), "/usr/sbin/apparmor_parser": program("parser")})
    line = (
        'audit: type=1400 audit(1702200000.101:77): apparmor="DENIED" operation="userns_create" class="namespace" '
        'info="Userns create restricted - failed to find unprivileged_userns profile" error=-13 profile="unconfined" '
        'pid=3001 comm="rootlesskit" requested="userns_create" denied="userns_create"'
    )
    machine.append("/var/log/kern.log", f"2023-12-10T09:20:00.101000+00:00 gpu1 kernel: {line}\n", changed=RECENTLY)


def _mount_over_cgroups(machine: Machine) -> None:
    merged = "/var/lib/docker/overlay2/77aa/merged/proc/driver/nvidia"
    error = hook_error(f"mount error: mount operation failed: {merged}: permission denied")
    mounts = {"/sys/fs/cgroup": "/sys/fs/cgroup"}
    kept_by_docker(machine, 52, "systemd", error=error, env=GPU_ENV, requests=[ALL_GPUS], mounts=mounts)


def _read_only_root(machine: Machine) -> None:
    merged = "/var/lib/docker/overlay2/88bb/merged/usr/bin/nvidia-smi"
    error = hook_error(f"mount error: file creation failed: {merged}: read-only file system")
    kept_by_docker(machine, 53, "train", error=error, env=GPU_ENV, requests=[ALL_GPUS])


FAILURES = {
    "D-PERM-1": Failure("SELinux denies a container the nodes of the GPUs", _denied_by_selinux, _RHEL),
    "D-PERM-2": Failure(
        "the nodes are for the group video, which a container's user left behind", _not_in_group, _PODMAN
    ),
    "D-PERM-3": Failure("VirtualGL was set up for a group of its own", _virtualgl),
    "D-PERM-4": Failure("crun made the nodes read-only in a user namespace", _node_lost_its_mode, _PODMAN),
    "D-PERM-5": Failure("crun made the folder of MIG's nodes for its owner alone", _folder_closed, _MIG),
    "D-PERM-6": Failure("a user has no subordinate ids, and NVIDIA's hook sets groups", _one_id, _PODMAN),
    "D-PERM-7": Failure("after a start nobody but a user runs an engine", _after_a_start, ROOTLESS),
    "D-PERM-8": Failure("Docker runs in an unprivileged LXC container", _nested_in_lxc),
    "D-PERM-9": Failure("a sandbox in a GPU container wants a /proc of its own", _covered_proc),
    "D-PERM-10": Failure("AppArmor does not let rootlesskit make a user namespace", _restricted_namespaces, _PODMAN),
    "D-PERM-11": Failure("a mount of the host's cgroups hides what the hook needs", _mount_over_cgroups),
    "D-PERM-12": Failure("the container's root is read-only when the hook runs", _read_only_root),
}
