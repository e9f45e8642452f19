"""Failures of loaders and their caches, on hosts and in containers."""

from linkspan.formats import ldcache
from linkspan.sim import toolkit
from linkspan.sim.elfwriter import EM_X86_64
from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, gpu_container, kept_by_docker
from linkspan.sim.machine import Machine
from linkspan.sim.processes import program

CACHE = "/etc/ld.so.cache"


def nvidias(machine: Machine) -> None:
    """NVIDIA's toolkit, under a Docker for which a reload of systemd's units is no danger."""
    toolkit.install(machine)
    toolkit.restore_daemon(
        machine,
        **{"exec-opts": ["native.cgroupdriver=cgroupfs"], "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}},
    )


def _images_ldconfig(machine: Machine) -> None:
    nvidias(machine)
    toolkit.configure(machine, '"@/sbin/ldconfig"', '"/sbin/ldconfig"')


def _ldconfig_failed(machine: Machine) -> None:
    nvidias(machine)
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
        "failed: unable to start container process: error during container init: error running hook #0: error running "
        "hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\n"
        "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error code: 1: unknown"
    )
    kept_by_docker(machine, 78, "train", error=error, requests=[ALL_GPUS])


def _alpine(machine: Machine) -> None:
    gpu_container(machine, 4200, files={"/lib/ld-musl-x86_64.so.1": program("musl")})


def _no_cache(machine: Machine) -> None:
    nvidias(machine)
    machine.remove(CACHE)


def _old_driver_left(machine: Machine) -> None:
    nvidias(machine)
    flags = ldcache.flags_for(EM_X86_64, 64)
    folder = "/usr/lib/x86_64-linux-gnu"
    names = ["libnvidia-tls.so.418.39", "libnvidia-ml.so.1", "libcuda.so.1"]
    entries = [(name, f"{folder}/{name}", flags, 0, 0) for name in names]
    machine.write(CACHE, ldcache.render(entries))


def _no_ldconfig(machine: Machine) -> None:
    nvidias(machine)
    machine.remove("/sbin/ldconfig")


FAILURES = {
    "D-LDCACHE-1": Failure("NVIDIA's toolkit was told of the image's ldconfig", _images_ldconfig),
    "D-LDCACHE-2": Failure("ldconfig failed when NVIDIA's toolkit ran it in a container", _ldconfig_failed),
    "D-LDCACHE-3": Failure("a GPU container from an image with musl", _alpine),
    "D-LDCACHE-4": Failure("NVIDIA's toolkit on a host without a loader cache", _no_cache),
    "D-LDCACHE-5": Failure("the loader cache still names the driver before", _old_driver_left),
    "D-LDCACHE-6": Failure("NVIDIA's toolkit on a host without /sbin/ldconfig", _no_ldconfig),
}
