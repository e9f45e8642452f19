"""Failures of cgroups, of systemd's and of the kernel's device rules."""

from linkspan.sim import engine_side, toolkit
from linkspan.sim.failing import Failure
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec

BOTH = SimSpec(gpus=2, engines=("docker", "rootless-docker"))
ROOTLESS = SimSpec(gpus=2, engines=("rootless-docker",))


def _links_never_made(machine: Machine) -> None:
    machine.remove("/dev/char/*")


def _switched_off_for_root(machine: Machine) -> None:
    toolkit.install(machine)
    _by_cgroupfs(machine)
    toolkit.configure(machine, "#no-cgroups = false", "no-cgroups = true")


def _by_cgroupfs(machine: Machine) -> None:
    """Docker without systemd's help, for which a reload is no danger."""
    toolkit.restore_daemon(
        machine,
        **{
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}},
        },
    )


def _users_toolkit(machine: Machine) -> None:
    toolkit.install(machine)
    machine.replace("/home/ada/.config/docker/daemon.json", engine_side.RUNTIME, "/usr/bin/nvidia-container-runtime")


def _both_with_one_switch(machine: Machine) -> None:
    _users_toolkit(machine)
    _by_cgroupfs(machine)
    toolkit.configure(machine, "#no-cgroups = false", "no-cgroups = true")


def _hardened(machine: Machine) -> None:
    toolkit.install(machine)
    _by_cgroupfs(machine)
    machine.write("/proc/sys/net/core/bpf_jit_harden", "2\n")


def _built_without_bpf(machine: Machine) -> None:
    machine.replace(f"/boot/config-{engine_side.KERNEL}", "CONFIG_CGROUP_BPF=y", "# CONFIG_CGROUP_BPF is not set")


def _old_kernel_and_library(machine: Machine) -> None:
    toolkit.install(machine, "1.8.0")
    _by_cgroupfs(machine)
    machine.write("/proc/sys/kernel/osrelease", "5.4.0-216-generic\n")
    machine.link("/lib/modules/5.4.0-216-generic", engine_side.KERNEL)


def _from_before_version_2(machine: Machine) -> None:
    toolkit.install(machine, "1.7.0")
    _by_cgroupfs(machine)


FAILURES = {
    "D-CGROUP-1": Failure("nothing made the links in /dev/char", _links_never_made),
    "D-CGROUP-2": Failure("NVIDIA's toolkit was set up for a rootless engine that is gone", _switched_off_for_root),
    "D-CGROUP-3": Failure("NVIDIA's toolkit as it comes, and a rootless Docker", _users_toolkit, ROOTLESS),
    "D-CGROUP-4": Failure("root's Docker and a user's, and NVIDIA's one switch", _both_with_one_switch, BOTH),
    "D-CGROUP-5": Failure("a hardened kernel", _hardened),
    "D-CGROUP-6": Failure("a kernel built without BPF for cgroups", _built_without_bpf),
    "D-CGROUP-7": Failure("libnvidia-container 1.8.0 on Linux 5.4", _old_kernel_and_library),
    "D-CGROUP-8": Failure("libnvidia-container 1.7.0 on a host of today", _from_before_version_2),
}
