"""Failures of CDI specs, and of the engines that read them."""

import json
from typing import Any

from linkspan.sim import toolkit
from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.spec import SimSpec
from linkspan.sim.spec_side import PATH

PODMAN = SimSpec(gpus=2, engines=("podman",))
WANTS = "/etc/systemd/system/multi-user.target.wants/linkspan-refresh.*"


def _never_written(machine: Machine) -> None:
    machine.remove(PATH, WANTS)


def _driver_updated(machine: Machine) -> None:
    machine.replace(PATH, machine.spec.driver_version, "550.144.03")


def _renumbered(machine: Machine) -> None:
    bus = "/sys/bus/pci/devices/0000:1a:00.0/drm"
    machine.remove("/dev/dri/renderD128", f"{bus}/renderD128")
    machine.node("/dev/dri/renderD130", 226, 130)
    machine.write(f"{bus}/renderD130/dev", "226:130\n")
    machine.link("/dev/dri/by-path/pci-0000:1a:00.0-render", "../renderD130")


def _made_too_early(machine: Machine) -> None:
    def without(document: Any) -> None:
        edits = document["containerEdits"]
        edits["deviceNodes"] = [one for one in edits["deviceNodes"] if one["path"] != "/dev/nvidia-modeset"]
        edits["mounts"] = [
            one for one in edits["mounts"] if "EGL" not in one["hostPath"] and "GLX" not in one["hostPath"]
        ]

    machine.edit_json(PATH, without)


def _unit_failed(machine: Machine) -> None:
    machine.remove(PATH)


def _made_by_hand_too(machine: Machine) -> None:
    machine.write("/var/run/cdi/nvidia-by-hand.json", machine.read(PATH), changed=RECENTLY)


def _management_kind(machine: Machine) -> None:
    toolkit.install(machine)
    toolkit.restore_daemon(
        machine,
        **{"exec-opts": ["native.cgroupdriver=cgroupfs"], "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}},
    )
    machine.append(toolkit.CONFIG, '[nvidia-container-runtime.modes.cdi]\ndefault-kind = "management.nvidia.com/gpu"\n')
    document = json.loads(machine.read(PATH))
    document["kind"] = "management.nvidia.com/gpu"
    document["devices"] = [one for one in document["devices"] if one["name"] == "all"]
    machine.write("/var/run/cdi/management.nvidia.com-gpu.json", json.dumps(document, indent=2))


def _old_podman(machine: Machine) -> None:
    machine.replace("/var/lib/dpkg/status", "Version: 5.4.2+ds1-2", "Version: 3.4.4+ds1-1ubuntu1")


def _says_too_old_a_version(machine: Machine) -> None:
    def older(document: Any) -> None:
        document["cdiVersion"] = "0.3.0"
        document["containerEdits"]["additionalGids"] = [44]

    machine.edit_json(PATH, older)


def _hook_was_removed(machine: Machine) -> None:
    machine.replace(PATH, "/usr/local/bin/linkspan-hook", "/usr/bin/nvidia-ctk")


def _by_cdi_alone(machine: Machine) -> None:
    machine.write("/etc/docker/daemon.json", '{\n  "log-driver": "local"\n}\n')


def _device_without_edits(machine: Machine) -> None:
    def emptied(document: Any) -> None:
        document["devices"][0]["containerEdits"] = {}

    machine.edit_json(PATH, emptied)


def _one_is_passed_through(machine: Machine) -> None:
    machine.link("/sys/bus/pci/devices/0000:1b:00.0/driver", "../../../bus/pci/drivers/vfio-pci")
    machine.remove("/proc/driver/nvidia/gpus/0000:1b:00.0", "/dev/nvidia1", "/dev/char/195:1")
    _without_device(machine, "1")


def _without_device(machine: Machine, index: str) -> None:
    """The spec as it is made without the second GPU."""

    def without(document: Any) -> None:
        gone = f"/dev/nvidia{index}"
        for device in document["devices"]:
            edits = device["containerEdits"]
            edits["deviceNodes"] = [one for one in edits["deviceNodes"] if one["path"] != gone]
        document["devices"] = [one for one in document["devices"] if one["containerEdits"]["deviceNodes"]]

    machine.edit_json(PATH, without)


def _written_below_run(machine: Machine) -> None:
    machine.write("/run/cdi/nvidia.json", machine.read(PATH))
    machine.remove(PATH)


def _store_is_mounted(machine: Machine) -> None:
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
        "failed: unable to start container process: error during container init: error running createContainer hook "
        "#1: exit status 1, stdout: , stderr: failed to create link /nix/store/abc-nvidia/lib/libcuda.so.1: failed to "
        "remove existing file: read-only file system: unknown"
    )
    kept_by_docker(machine, 77, "dev", error=error, requests=[ALL_GPUS])


FAILURES = {
    "D-CDI-1": Failure("Podman, and nobody ever wrote a spec", _never_written, PODMAN),
    "D-CDI-2": Failure("the driver was updated after the spec was written", _driver_updated, PODMAN),
    "D-CDI-3": Failure(
        "the last boot numbered the DRM nodes anew", _renumbered, SimSpec(gpus=2, drm=True, engines=("podman",))
    ),
    "D-CDI-4": Failure("the spec was made before the driver was all there", _made_too_early, PODMAN),
    "D-CDI-5": Failure("the unit that makes the spec failed at boot", _unit_failed, PODMAN),
    "D-CDI-6": Failure("a spec was made by hand, beside the one of the service", _made_by_hand_too, PODMAN),
    "D-CDI-7": Failure("plain ids are looked up in the spec of management containers", _management_kind),
    "D-CDI-8": Failure("Podman 3.4", _old_podman, PODMAN),
    "D-CDI-9": Failure("the spec states an older version than it needs", _says_too_old_a_version, PODMAN),
    "D-CDI-10": Failure("the spec's hook is a program that was removed", _hook_was_removed, PODMAN),
    "D-CDI-11": Failure("Docker gives GPUs by CDI names alone", _by_cdi_alone),
    "D-CDI-12": Failure("the spec was made without sight of a device node", _device_without_edits, PODMAN),
    "D-CDI-13": Failure("a GPU was passed through to a virtual machine", _one_is_passed_through, PODMAN),
    "D-CDI-14": Failure("/var/run is no link to /run, and the spec lies below /run", _written_below_run, PODMAN),
    "D-CDI-15": Failure("the user's volume covers the place of the driver's links", _store_is_mounted),
}
