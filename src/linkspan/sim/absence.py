"""What goes from a simulated host when its kernel has no driver, or no driver was ever installed."""

from linkspan.sim.engine_side import KERNEL, PERSISTENCED
from linkspan.sim.machine import Machine

MODULES = f"/lib/modules/{KERNEL}"
_DEVICES = "Character devices:\n  1 mem\n 10 misc\n226 drm\n\nBlock devices:\n  7 loop\n"


def unload(machine: Machine) -> None:
    """As after a start at which no module of NVIDIA's was loaded: no nodes, no /proc, nothing bound on the bus."""
    machine.remove("/dev/nvidia*", "/dev/char/*", "/proc/driver/nvidia*", "/sys/module/nvidia")
    machine.remove("/sys/bus/pci/devices/*/driver", f"/proc/{PERSISTENCED}")
    machine.write("/proc/modules", "overlay 217088 12 - Live 0x0000000000000000\n")
    machine.write("/proc/devices", _DEVICES)


def uninstall(machine: Machine) -> None:
    """As before any driver was installed."""
    unload(machine)
    libraries = "/usr/lib/*-linux-gnu"
    machine.remove(f"{libraries}/libcuda*", f"{libraries}/*nvidia*", f"{libraries}/libnvcuvid*", "/usr/bin/nvidia-*")
    machine.remove("/var/run/cdi/*", f"{MODULES}/updates", "/var/lib/dkms/nvidia", "/lib/firmware/nvidia")


def forget_module(machine: Machine, other: str) -> None:
    """As after an update of the kernel for which DKMS did not build: the modules are there for the one before."""
    unload(machine)
    machine.remove(f"{MODULES}/updates", f"{MODULES}/build", f"/var/lib/dkms/nvidia/*/{KERNEL}")
    for name in ("nvidia", "nvidia-uvm"):
        machine.write(f"/lib/modules/{other}/updates/dkms/{name}.ko.xz", f"{name}.ko")
    machine.write(f"/var/lib/dkms/nvidia/{machine.spec.driver_version}/{other}/x86_64/module/nvidia.ko.xz", "nvidia.ko")
