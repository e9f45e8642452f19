"""Failures of WSL2 guests."""

from linkspan.sim import toolkit, wsl
from linkspan.sim.failing import Failure
from linkspan.sim.guests import UTILITY, driver_files
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.spec import SimSpec

GUEST = SimSpec(gpus=1, layout="wsl", engines=("docker",))


def _no_gpu_from_windows(machine: Machine) -> None:
    machine.remove("/dev/dxg", f"{wsl.STORE}*")


def _driver_packages_installed(machine: Machine) -> None:
    version = "535.183.01"
    machine.put(driver_files(("libcuda", *UTILITY), version), RECENTLY)
    stanza = (
        "Package: libnvidia-compute-535\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}-0ubuntu1\n\n"
    )
    machine.append("/var/lib/dpkg/status", stanza.format(version))


def _tutorial_for_rootless_followed(machine: Machine) -> None:
    toolkit.install(machine)
    runtimes = {"nvidia": {"path": "nvidia-container-runtime"}}
    toolkit.restore_daemon(machine, **{"exec-opts": ["native.cgroupdriver=cgroupfs"], "runtimes": runtimes})
    toolkit.configure(machine, "#no-cgroups = false", "no-cgroups = true")


FAILURES = {
    "D-WSL-1": Failure("Windows gives the guest no GPU", _no_gpu_from_windows, GUEST),
    "D-WSL-2": Failure("a Linux driver was installed in the guest", _driver_packages_installed, GUEST),
    "D-WSL-3": Failure("no-cgroups was set, as for a rootless engine", _tutorial_for_rootless_followed, GUEST),
}
