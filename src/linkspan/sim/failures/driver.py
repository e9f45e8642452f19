"""Failures of the driver, its kernel modules and its nodes."""

from linkspan.sim import kernel_side
from linkspan.sim.absence import forget_module, uninstall, unload
from linkspan.sim.engine_side import FABRIC_MANAGER
from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, GPU_ENV, gpu_container, kept_by_docker
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.spec import SimSpec, gpus

LOG = "/var/log/kern.log"
NEWER_KERNEL, OLDER_KERNEL = "6.12.48+deb13-amd64", "6.12.38+deb13-amd64"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_AT = "2023-12-10T09:14:02.118327+00:00 gpu1 kernel: "
_HGX = SimSpec(gpus=8, nvswitches=4, engines=("docker",))


def log(machine: Machine, *messages: str) -> None:
    """Let the kernel say something after the driver was loaded."""
    loaded = "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  " + machine.spec.driver_version
    machine.append(LOG, "".join(f"{_AT}{line}\n" for line in (loaded, *messages)), changed=RECENTLY)


def _updated_while_loaded(machine: Machine) -> None:
    older = "550.144.03"
    machine.write("/proc/driver/nvidia/version", kernel_side.version_text(older, is_open=False))
    machine.write("/sys/module/nvidia/version", f"{older}\n")


def _uvm_not_loaded(machine: Machine) -> None:
    machine.remove("/dev/nvidia-uvm*", "/dev/char/510:*")
    machine.write("/proc/modules", "nvidia_modeset 1314816 0 - Live 0x0\nnvidia 56807424 1 nvidia_modeset, Live 0x0\n")
    machine.replace("/proc/devices", "510 nvidia-uvm\n", "")


def _kernel_updated(machine: Machine) -> None:
    forget_module(machine, OLDER_KERNEL)
    machine.remove("/usr/sbin/dkms")
    machine.write("/usr/sbin/dkms", "#!/bin/sh\n", mode=0o755)


def _nouveau(machine: Machine) -> None:
    unload(machine)
    machine.write("/proc/modules", "nouveau 2433024 2 - Live 0x0000000000000000\n")
    for gpu in gpus(machine.spec):
        machine.link(f"/sys/bus/pci/devices/{gpu.bus_id}/driver", "../../../bus/pci/drivers/nouveau")
    machine.write(LOG, f"{_AT}nouveau 0000:1a:00.0: NVIDIA GH100 (180000a1)\n")


def _no_fabric_manager(machine: Machine) -> None:
    machine.remove(f"/proc/{FABRIC_MANAGER}", "/run/nvidia-fabricmanager/socket")


def _needless_fabric_manager(machine: Machine) -> None:
    stanza = "Package: nvidia-fabricmanager\nStatus: install ok installed\nVersion: {}-1\n\n"
    machine.append("/var/lib/dpkg/status", stanza.format(machine.spec.driver_version))
    machine.write(
        "/var/log/fabricmanager.log",
        "[Dec 10 2023 09:14:02] [INFO] [tid 911] Fabric Manager version 550.163.01 is running with the following\n"
        "[Dec 10 2023 09:14:02] [ERROR] [tid 911] request to query NVSwitch device information from NVSwitch driver "
        "failed with error:WARNING Nothing to do [NV_WARN_NOTHING_TO_DO]\n",
    )


def _no_room_for_memory(machine: Machine) -> None:
    message = "nvidia-uvm: uvm_pmm_gpu.c:3176 devmem_alloc_pagemap[pid:92821] request_free_mem_region() err -34"
    log(machine, f"[64689.125237] {message}")


def _secure_boot(machine: Machine) -> None:
    unload(machine)
    machine.write(SECURE_BOOT, b"\x06\x00\x00\x00\x01")
    machine.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    machine.write("/var/lib/dkms/mok.pub", b"\x30\x82\x03\x07 certificate")
    message = "Loading of module with unavailable key is rejected"
    machine.write(LOG, f"{_AT}[    4.112233] {message}\n", changed=RECENTLY)


def _fell_off(machine: Machine) -> None:
    lost = gpus(machine.spec)[1].bus_id
    machine.write(f"/sys/bus/pci/devices/{lost}/config", b"\xff" * 64)
    where = lost.removesuffix(".0")
    log(
        machine,
        f"NVRM: Xid (PCI:{where}): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
        f"NVRM: GPU {lost}: GPU has fallen off the bus.",
    )


def _no_nodes(machine: Machine) -> None:
    machine.remove("/dev/nvidia*", "/dev/char/*")


def _no_modeset(machine: Machine) -> None:
    machine.remove("/dev/nvidia-modeset", "/dev/char/195:254")
    gpu_container(machine, 2001, env={"NVIDIA_DRIVER_CAPABILITIES": "compute,utility,display"})


def _other_uvm_major(machine: Machine) -> None:
    """The module got another number at this start, and a service makes the nodes with that of the one before."""
    machine.replace("/proc/devices", "510 nvidia-uvm\n", "505 nvidia-uvm\n")


def _needs_reset(machine: Machine) -> None:
    where = gpus(machine.spec)[1].bus_id.removesuffix(".0")
    log(
        machine,
        f"NVRM: Xid (PCI:{where}): 95, pid=7121, name=python3, Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No",
        f"NVRM: Xid (PCI:{where}): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)",
    )
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
        "failed: unable to start container process: error during container init: error running hook #0: error running "
        "hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\n"
        "nvidia-container-cli: detection error: nvml error: gpu requires reset: unknown"
    )
    kept_by_docker(machine, 31, "train", error=error, env=GPU_ENV, requests=[ALL_GPUS])


FAILURES = {
    "D-DRIVER-1": Failure("the libraries were updated while the old kernel module stays loaded", _updated_while_loaded),
    "D-DRIVER-3": Failure("a GPU is there, and no driver was installed", uninstall),
    "D-DRIVER-4": Failure("after a start, nothing has loaded nvidia-uvm yet", _uvm_not_loaded),
    "D-DRIVER-5": Failure("the kernel was updated, and DKMS built no module for it", _kernel_updated),
    "D-DRIVER-6": Failure("nouveau took the GPUs when the host was started", _nouveau),
    "D-DRIVER-9": Failure("the fabric manager of an NVSwitch board does not run", _no_fabric_manager, _HGX),
    "D-DRIVER-10": Failure("a fabric manager was installed where there is no NVSwitch", _needless_fabric_manager),
    "D-DRIVER-11": Failure("KASLR left no room for the GPUs' memory", _no_room_for_memory),
    "D-DRIVER-13": Failure("Secure Boot refused a module that DKMS built", _secure_boot),
    "D-DRIVER-14": Failure("one GPU has fallen off the bus", _fell_off),
    "D-DRIVER-18": Failure("the driver is loaded, and nothing has made its nodes", _no_nodes),
    "D-DRIVER-19": Failure("a container wants to draw, and udev left nvidia-modeset out", _no_modeset),
    "D-DRIVER-20": Failure("nvidia-uvm got another number than its nodes have", _other_uvm_major),
    "D-DRIVER-21": Failure("one GPU waits for a reset, and lets starts fail", _needs_reset),
}
