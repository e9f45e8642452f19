"""What works, and lets a container reach more than it was given."""

from linkspan.sim.failing import Failure
from linkspan.sim.guests import gpu_container, kept_by_docker
from linkspan.sim.machine import Machine

_PACKAGES = ("nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container1")
_DOCKERS_OWN = "00000000a80425fb"
"""The capabilities that Docker gives a container, CAP_MKNOD among them."""


def _old_toolkit(machine: Machine) -> None:
    for name in _PACKAGES:
        stanza = f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.16.1-1\n\n"
        machine.append("/var/lib/dpkg/status", stanza)


def _rule_for_every_gpu(machine: Machine) -> None:
    gpu_container(machine, 4501, gpus=(0,), env={"NVIDIA_VISIBLE_DEVICES": "0"})
    status = machine.read("/proc/4501/status")
    machine.write("/proc/4501/status", f"{status}CapEff:\t{_DOCKERS_OWN}\n")
    kept_by_docker(machine, 4501, "tenant", rules=["c 195:* rwm"], running=True)


FAILURES = {
    "D-SECURITY-1": Failure("a toolkit with known holes is installed", _old_toolkit),
    "D-SECURITY-2": Failure("a container may make the nodes of all GPUs", _rule_for_every_gpu),
}
