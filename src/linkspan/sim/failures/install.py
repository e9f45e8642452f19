"""Failures of installing NVIDIA's toolkit."""

from linkspan.sim.failing import Failure
from linkspan.sim.machine import Machine

_ADDRESS = "https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /"
_KEYRING = "/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg"


def _two_lists(machine: Machine) -> None:
    """One list of an old guide, with the key in apt's own keyring, and one of today's."""
    folder = "/etc/apt/sources.list.d"
    machine.write(f"{folder}/libnvidia-container.list", f"deb {_ADDRESS}\n")
    machine.write(f"{folder}/nvidia-container-toolkit.list", f"deb [signed-by={_KEYRING}] {_ADDRESS}\n")
    machine.write(_KEYRING, b"\x99\x02\x0d key")


FAILURES = {
    "D-INSTALL-1": Failure("two lists name the source of NVIDIA's packages with different keys", _two_lists),
}
