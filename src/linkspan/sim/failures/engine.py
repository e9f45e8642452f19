"""Failures of engines: their configuration, and what their daemons see."""

from linkspan.sim.failing import Failure
from linkspan.sim.machine import RECENTLY, Machine


def _installed_after_dockerd_started(machine: Machine) -> None:
    for name in ("nvidia-container-runtime-hook", "nvidia-container-toolkit", "linkspan-prestart-hook"):
        machine.touch(f"/usr/local/bin/{name}", RECENTLY)


FAILURES = {
    "D-ENGINE-1": Failure("the hook was installed after dockerd had started", _installed_after_dockerd_started),
}
