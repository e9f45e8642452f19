"""A program of its own: asks the NVML library in the file it is given, and prints what it says as JSON.

It runs as ``python3 -I ask_nvml.py LIBRARY`` (see ``nvml``), hence imports nothing of linkspan. What cannot be had of a
GPU is left out; a GPU that does not answer at all becomes a line in ``errors``.
"""

import contextlib
import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

# A package of the system's has pynvml beside linkspan, in a folder that an isolated interpreter does not look into.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import pynvml  # type: ignore[import-untyped]  # ships no types; is found by the line above

T = TypeVar("T")
MIB = 1 << 20


def answer(library: str) -> dict[str, Any]:
    """Everything that ``nvml.Report`` holds, or ``{"errors": [why not]}``."""
    try:
        # pynvml takes this name for a library that it has already loaded; its own way is a fixed SONAME.
        pynvml.nvmlLib = ctypes.CDLL(library)
        pynvml.nvmlInit()
    except (OSError, pynvml.NVMLError) as error:
        return {"errors": [str(error)]}
    try:
        return _host()
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _host() -> dict[str, Any]:
    errors: list[str] = []
    gpus = []
    for index in range(_optional(pynvml.nvmlDeviceGetCount, 0)):
        try:
            gpus.append(_gpu(index))
        except pynvml.NVMLError as error:
            errors.append(f"GPU {index}: {error}")
    cuda = _optional(pynvml.nvmlSystemGetCudaDriverVersion_v2, 0)
    return {
        "driver_version": _optional(pynvml.nvmlSystemGetDriverVersion, ""),
        # CUDA 12.4 is 12040; its minor may have two digits (contract 9.2 #19).
        "cuda_version": f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else "",
        "gpus": gpus,
        "errors": errors,
    }


def _gpu(index: int) -> dict[str, Any]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = _optional(lambda: pynvml.nvmlDeviceGetCudaComputeCapability(handle), (0, 0))
    mig_mode = _optional(lambda: pynvml.nvmlDeviceGetMigMode(handle)[0], 0)
    return {
        "index": index,
        "minor": _optional(lambda: pynvml.nvmlDeviceGetMinorNumber(handle), index),
        "uuid": pynvml.nvmlDeviceGetUUID(handle),
        "name": _optional(lambda: pynvml.nvmlDeviceGetName(handle), ""),
        "pci_bus_id": pynvml.nvmlDeviceGetPciInfo(handle).busId,
        "brand": _optional(lambda: pynvml.nvmlDeviceGetBrand(handle), 0),
        "memory_mib": _optional(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).total // MIB, 0),
        "compute_capability": f"{major}.{minor}" if major else "",
        "architecture": _optional(lambda: pynvml.nvmlDeviceGetArchitecture(handle), 0),
        "mig_enabled": mig_mode == pynvml.NVML_DEVICE_MIG_ENABLE,
        "mig": list(_mig_devices(handle)) if mig_mode else [],
    }


def _mig_devices(parent: object) -> Iterator[dict[str, Any]]:
    for index in range(_optional(lambda: pynvml.nvmlDeviceGetMaxMigDeviceCount(parent), 0)):
        # The numbers have holes: an index without a device answers "not found".
        with contextlib.suppress(pynvml.NVMLError):
            yield {"index": index, **_mig_device(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, index))}


def _mig_device(handle: object) -> dict[str, Any]:
    return {
        "uuid": pynvml.nvmlDeviceGetUUID(handle),
        "name": _optional(lambda: pynvml.nvmlDeviceGetName(handle), ""),
        "gi": pynvml.nvmlDeviceGetGpuInstanceId(handle),
        "ci": pynvml.nvmlDeviceGetComputeInstanceId(handle),
        "memory_mib": _optional(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).total // MIB, 0),
    }


def _optional(ask: Callable[[], T], default: T) -> T:
    """An answer that older drivers, vGPUs and Tegra may owe."""
    try:
        return ask()
    except pynvml.NVMLError:
        return default


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1])))  # noqa: T201  # this is a program
