"""Failures of the bridge's own set-up: its packages, its configuration, where it puts files."""

from linkspan.sim import toolkit
from linkspan.sim.failing import Failure
from linkspan.sim.failures.ldcache import nvidias
from linkspan.sim.guests import cache, library, mountinfo, soname
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container, program
from linkspan.sim.tree import Link, Node

STATUS = "/var/lib/dpkg/status"
PLEX = "/usr/lib/plexmediaserver/lib"
DEBIANS = "/usr/lib/x86_64-linux-gnu/nvidia/current"


def _plex(machine: Machine) -> None:
    version = machine.spec.driver_version
    libcuda = f"{DEBIANS}/libcuda.so.{version}"
    files = {
        libcuda: library(soname("libcuda")),
        f"{DEBIANS}/libcuda.so.1": Link(f"libcuda.so.{version}"),
        f"{PLEX}/ld-musl-x86_64.so.1": program("musl"),
        "/lib64/ld-linux-x86-64.so.2": program("glibc"),
        "/dev/nvidiactl": Node(195, 255),
        "/dev/nvidia0": Node(195, 0),
        "/dev/nvidia-uvm": Node(510, 0),
        **cache({"libcuda.so.1": f"{DEBIANS}/libcuda.so.1"}),
    }
    env = {"NVIDIA_VISIBLE_DEVICES": "0", "NVIDIA_DRIVER_CAPABILITIES": "compute"}
    machine.put(container(4300, env=env, files=files, mountinfo=mountinfo([libcuda])), RECENTLY)


def _half_updated(machine: Machine) -> None:
    nvidias(machine)
    machine.replace(
        STATUS,
        "Package: nvidia-container-toolkit-base\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.17.8-1",
        "Package: nvidia-container-toolkit-base\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.18.0-1",
    )


def _deaf_release(machine: Machine) -> None:
    toolkit.install(machine, "1.14.0")
    toolkit.restore_daemon(
        machine,
        **{"exec-opts": ["native.cgroupdriver=cgroupfs"], "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}},
    )
    toolkit.configure(machine, 'mode = "auto"', 'mode = "cdi"')


def _old_tools(machine: Machine) -> None:
    nvidias(machine)
    stanza = (
        "Package: libnvidia-container-tools\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.3.0-1\n\n"
    )
    machine.append(STATUS, stanza)


FAILURES = {
    "D-MODE-1": Failure("Plex with its own loader, and the driver where only glibc's cache knows it", _plex),
    "D-MODE-2": Failure("half of NVIDIA's toolkit was updated", _half_updated),
    "D-MODE-3": Failure("NVIDIA's toolkit 1.14.0, with settings", _deaf_release),
    "D-MODE-4": Failure("NVIDIA's command line and library are of two versions", _old_tools),
}
