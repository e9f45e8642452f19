"""Failures of engines: their configuration, and what their daemons see."""

from typing import Any

from linkspan.sim.failing import Failure
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import process, program

DAEMON = "/etc/docker/daemon.json"
STATUS = "/var/lib/dpkg/status"
_VERSION = "Version: 5:28.5.1-1~debian.13~trixie"


def _installed_after_dockerd_started(machine: Machine) -> None:
    for name in ("nvidia-container-runtime-hook", "nvidia-container-toolkit", "linkspan-prestart-hook"):
        machine.touch(f"/usr/local/bin/{name}", RECENTLY)


def _from_a_snap(machine: Machine) -> None:
    inside = "/run/snap.docker"
    machine.remove("/proc/800", "/usr/bin/dockerd", DAEMON)
    machine.replace(STATUS, "Package: docker-ce\n", "Package: snapd\n")
    config = "/var/snap/docker/current/config/daemon.json"
    machine.write(config, '{"log-level": "error"}\n')
    machine.write(f"{inside}{config}", '{"log-level": "error"}\n')
    machine.put({f"{inside}/snap/docker/2976/bin/{name}": program(name) for name in ("dockerd", "runc")})
    machine.put({"/usr/bin/snap": program("snap")})
    machine.put(
        process(
            *(800, ["dockerd", "--group", "docker", "--config-file=" + config]),
            exe="/snap/docker/2976/bin/dockerd",
            env={"PATH": "/snap/docker/2976/sbin:/snap/docker/2976/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            cgroup="/system.slice/snap.docker.dockerd.service",
            root=inside,
            namespaces={"mnt": 4026532700},
        )
    )


def _speaks_to_docker_desktop(machine: Machine) -> None:
    machine.write("/home/ada/.docker/config.json", '{"auths": {}, "currentContext": "desktop-linux"}\n')


def _other_graphics(machine: Machine) -> None:
    machine.remove("/sys/bus/pci/devices/*", "/proc/driver/nvidia", "/sys/module/nvidia", "/dev/nvidia*", "/dev/char/*")
    machine.remove("/usr/lib/*/*nvidia*", "/usr/lib/*/libcuda*", "/usr/bin/nvidia-*", "/var/run/cdi/nvidia.json")
    folder = "/sys/bus/pci/devices/0000:00:02.0"
    for name, value in (("vendor", "0x8086"), ("device", "0x46a6"), ("class", "0x030000")):
        machine.write(f"{folder}/{name}", f"{value}\n")
    machine.write("/proc/modules", "i915 4000000 1 - Live 0x0000000000000000\n")
    machine.write("/proc/devices", "Character devices:\n  1 mem\n226 drm\n\nBlock devices:\n  7 loop\n")


def _cdi_not_switched_on(machine: Machine) -> None:
    machine.replace(STATUS, _VERSION, "Version: 26.1.5+dfsg1-9+b9")
    machine.replace(STATUS, "Package: docker-ce\n", "Package: docker.io\n")


def _nothing_of_nvidias(machine: Machine) -> None:
    machine.replace(STATUS, _VERSION, "Version: 5:29.0.1-1~debian.13~trixie")
    machine.remove("/usr/local/bin/nvidia-container-*", "/var/run/cdi/nvidia.json")


def _runtime_never_configured(machine: Machine) -> None:
    machine.replace(STATUS, _VERSION, "Version: 5:24.0.7-1~debian.12~bookworm")
    machine.write(DAEMON, '{\n  "log-driver": "local"\n}\n')


def _comma_without_quotes(machine: Machine) -> None:
    unit = "[Service]\nExecStart=/usr/bin/docker run --rm --name train --gpus device=0,1 trainer:1 python3 train.py\n"
    machine.write("/etc/systemd/system/train.service", f"[Unit]\nDescription=training\n\n{unit}")


def _edited_by_hand(machine: Machine) -> None:
    def with_mirror(document: Any) -> None:
        document["registry-mirrors"] = ["https://mirror.example"]

    machine.edit_json(DAEMON, with_mirror)
    machine.replace(DAEMON, '"https://mirror.example"\n', '"https://mirror.example",\n')


FAILURES = {
    "D-ENGINE-1": Failure("the hook was installed after dockerd had started", _installed_after_dockerd_started),
    "D-ENGINE-2": Failure("Docker comes from a snap", _from_a_snap),
    "D-ENGINE-3": Failure("the docker command speaks to Docker Desktop", _speaks_to_docker_desktop),
    "D-ENGINE-4": Failure("the graphics are another vendor's", _other_graphics),
    "D-ENGINE-5": Failure("Docker 26, in which CDI was never switched on", _cdi_not_switched_on),
    "D-ENGINE-6": Failure("Docker 29 without hook and without spec", _nothing_of_nvidias),
    "D-ENGINE-7": Failure("Docker was never told of the runtime", _runtime_never_configured),
    "D-ENGINE-8": Failure("a unit asks for two GPUs without the quotes that the comma takes", _comma_without_quotes),
    "D-ENGINE-9": Failure("daemon.json has a comma too many", _edited_by_hand),
}
