"""Failures that are inside an image: its driver files, its CUDA, its variables."""

from linkspan.sim import elfwriter
from linkspan.sim.failing import Failure
from linkspan.sim.guests import (
    ALL_GPUS,
    COMPUTE,
    GRAPHICS,
    LIBRARIES,
    UTILITY,
    cache,
    driver_files,
    gpu_container,
    kept_by_docker,
    library,
)
from linkspan.sim.machine import Machine
from linkspan.sim.spec import gpus
from linkspan.sim.tree import File, Link, Tree, text

CUDA = "/usr/local/cuda-{0}"
_OCI = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
)
_HOOK = (
    f"{_OCI}unable to start container process: error during container init: error running prestart hook #0: exit "
    "status 1, stdout: , stderr: Auto-detected mode as 'legacy'\n"
)


def cuda_files(version: str) -> Tree:
    """CUDA's runtime library as the image nvidia/cuda has it."""
    major, minor, _ = version.split(".")
    folder = CUDA.format(f"{major}.{minor}")
    return {
        f"{folder}/targets/x86_64-linux/lib/libcudart.so.{version}": library(f"libcudart.so.{major}"),
        f"{folder}/lib64": Link("targets/x86_64-linux/lib"),
        "/usr/local/cuda": Link(f"cuda-{major}.{minor}"),
    }


def compat_files(cuda: str, driver: str) -> Tree:
    """The package cuda-compat."""
    folder = CUDA.format(cuda) + "/compat"
    return {**driver_files(("libcuda", "libnvidia-nvvm", "libnvidia-ptxjitcompiler"), driver, folder)}


def become(machine: Machine, index: int, name: str, device: str) -> None:
    """Put another GPU into a slot."""
    address = sorted(machine_names(machine))[index]
    information = f"/proc/driver/nvidia/gpus/{address}/information"
    old = machine.read(information).splitlines()[0]
    machine.replace(information, old, f"Model: \t\t {name}")
    machine.write(f"/sys/bus/pci/devices/{address}/device", f"{device}\n")


def machine_names(machine: Machine) -> list[str]:
    """The PCI addresses of the simulated GPUs."""
    return [gpu.bus_id for gpu in gpus(machine.spec)]


def _driver_package_in_image(machine: Machine) -> None:
    layer = "/var/lib/docker/overlay2/5a1e"
    path = f"{LIBRARIES}/libnvidia-ml.so.1"
    machine.put({f"{layer}/diff{name}": entry for name, entry in driver_files(UTILITY, "535.183.01").items()})
    error = (
        f"{_HOOK}nvidia-container-cli: mount error: file creation failed: {layer}/merged{path}: file exists: unknown"
    )
    kept_by_docker(machine, 4001, "train", error=error, requests=[ALL_GPUS])


def _built_while_mounted(machine: Machine) -> None:
    old = "535.183.01"
    left: Tree = {f"{LIBRARIES}/{stem}.so.{old}": File(b"") for stem in (*COMPUTE, *UTILITY)}
    gpu_container(machine, 4002, files=left)


def _driver_too_old_for_image(machine: Machine) -> None:
    error = (
        f"{_HOOK}nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver "
        "to a newer version, or use an earlier cuda container: unknown"
    )
    env = {
        "NVIDIA_VISIBLE_DEVICES": "all",
        "NVIDIA_REQUIRE_CUDA": "cuda>=12.8 brand=unknown,driver>=470,driver<471 brand=tesla,driver>=535,driver<536",
    }
    kept_by_docker(machine, 4003, "train", error=error, env=env, requests=[ALL_GPUS])


def _newer_cuda_than_driver(machine: Machine) -> None:
    gpu_container(machine, 4004, files=cuda_files("13.0.88"))


def _other_driver_first_on_loader_path(machine: Machine) -> None:
    folder = "/opt/driver-535/lib"
    gpu_container(
        machine,
        4005,
        env={"LD_LIBRARY_PATH": f"{folder}:/usr/local/cuda/lib64"},
        files=driver_files(("libcuda",), "535.183.01", folder),
    )


def _compat_on_geforce(machine: Machine) -> None:
    become(machine, 0, "NVIDIA GeForce RTX 4090", "0x2684")
    compat = compat_files("12.8", "570.124.06")
    path = "/usr/local/cuda-12.8/compat"
    files = {**cuda_files("12.8.57"), **compat, **cache({"libcuda.so.1": f"{path}/libcuda.so.1"})}
    files["/etc/ld.so.conf.d/00-compat-12345.conf"] = text("/usr/local/cuda/compat\n")
    gpu_container(machine, 4006, files=files)


def _torch_without_kernels(machine: Machine) -> None:
    become(machine, 0, "NVIDIA GeForce RTX 5090", "0x2b85")
    version = "__version__ = '2.6.0+cu124'\ncuda: Optional[str] = '12.4'\nhip: Optional[str] = None\n"
    path = "/usr/local/lib/python3.11/site-packages/torch/version.py"
    gpu_container(machine, 4007, files={path: text(version)})


def _image_without_x_libraries(machine: Machine) -> None:
    files: Tree = {
        f"{LIBRARIES}/libvulkan.so.1": library("libvulkan.so.1"),
        f"{LIBRARIES}/libX11.so.6": library("libX11.so.6"),
        "/usr/bin/apt-get": File(b"#!/bin/sh\n", 0o755),
        "/usr/share/vulkan/icd.d/nvidia_icd.json": text("{}\n"),
    }
    gpu_container(machine, 4008, env={"NVIDIA_DRIVER_CAPABILITIES": "all"}, stems=(*COMPUTE, *GRAPHICS), files=files)
    entrance = elfwriter.shared_object("libGLX_nvidia.so.0", needed=("libX11.so.6", "libXext.so.6"))
    machine.write(f"/proc/4008/root{LIBRARIES}/libGLX_nvidia.so.{machine.spec.driver_version}", entrance)


def _compat_switched_off(machine: Machine) -> None:
    machine.write("/etc/nvidia-container-runtime/config.toml", "[features]\ndisable-cuda-compat-lib-hook = true\n")
    gpu_container(machine, 4009, files={**cuda_files("12.8.57"), **compat_files("12.8", "570.124.06")})


def _host_numbers_in_container(machine: Machine) -> None:
    gpu_container(machine, 4010, env={"CUDA_VISIBLE_DEVICES": "1", "NVIDIA_VISIBLE_DEVICES": "1"}, gpus=(1,))


FAILURES = {
    "D-IMAGE-1": Failure("a driver's package is in the image, so the start fails", _driver_package_in_image),
    "D-IMAGE-2": Failure("the image was committed while an older driver was mounted in it", _built_while_mounted),
    "D-IMAGE-3": Failure("the image requires a newer CUDA than the driver runs", _driver_too_old_for_image),
    "D-IMAGE-4": Failure("the image is made of CUDA 13, the driver is of CUDA 12", _newer_cuda_than_driver),
    "D-IMAGE-5": Failure("LD_LIBRARY_PATH leads to another driver's libcuda", _other_driver_first_on_loader_path),
    "D-IMAGE-6": Failure("CUDA's compatibility library is loaded on a GeForce", _compat_on_geforce),
    "D-IMAGE-7": Failure("PyTorch was built before the GPU", _torch_without_kernels),
    "D-IMAGE-8": Failure("the image draws with Vulkan, and has no libXext", _image_without_x_libraries),
    "D-IMAGE-9": Failure("the image needs its compatibility library, which is switched off", _compat_switched_off),
    "D-IMAGE-10": Failure("a container of one GPU is told to use the host's GPU 1", _host_numbers_in_container),
}
