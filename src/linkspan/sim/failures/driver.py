"""Failures of the driver, its kernel modules and its nodes."""

from linkspan.sim import kernel_side
from linkspan.sim.failing import Failure
from linkspan.sim.machine import Machine


def _updated_while_loaded(machine: Machine) -> None:
    older = "550.144.03"
    machine.write("/proc/driver/nvidia/version", kernel_side.version_text(older, is_open=False))
    machine.write("/sys/module/nvidia/version", f"{older}\n")


FAILURES = {
    "D-DRIVER-1": Failure("the libraries were updated while the old kernel module stays loaded", _updated_while_loaded),
}
