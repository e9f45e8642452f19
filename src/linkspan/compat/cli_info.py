"""``nvidia-container-cli info``: driver and GPUs, for people or as CSV (contract 4.2)."""

import sys

from linkspan.compat.argp import Option
from linkspan.compat.cli_call import Call, StageError
from linkspan.facts.model import Gpu, HostFacts

OPTIONS = (Option("csv", "", "print comma-separated values"),)

_DRIVER = ("NVRM version", "CUDA version")
_GPU = ("Device Index", "Device Minor", "Model", "Brand", "GPU UUID", "Bus Location", "Architecture")


def run(call: Call) -> None:
    """Print what there is. Raises StageError where NVML, which knows it, did not answer."""
    facts = call.facts()
    _need_nvml(facts)
    driver = (facts.driver.version, facts.driver.cuda_version or "Unknown")
    sys.stdout.write(_csv(driver, facts) if call.has("csv") else _text(driver, facts))


def _need_nvml(facts: HostFacts) -> None:
    why = next((item.reason for item in facts.missing if item.part == "NVML"), "")
    if why and "nvml" not in facts.driver.readings:
        raise StageError("initialization", f"nvml error: {why}", "'linkspan facts' tells what there is without it")


def _values(gpu: Gpu) -> tuple[str, ...]:
    brand, capability = gpu.brand or "Unknown", gpu.compute_capability or "Unknown"
    return str(gpu.index), str(gpu.minor), gpu.name, brand, gpu.uuid, gpu.pci_bus_id.lower(), capability


def _text(driver: tuple[str, ...], facts: HostFacts) -> str:
    parts = [_lines(_DRIVER, driver), *(_lines(_GPU, _values(gpu)) for gpu in facts.gpus)]
    return "\n".join(parts)


def _lines(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return "".join(f"{name + ':':<15} {value}\n" for name, value in zip(names, values, strict=True))


def _csv(driver: tuple[str, ...], facts: HostFacts) -> str:
    rows = [_DRIVER, driver, (), _GPU, *map(_values, facts.gpus)]
    return "".join(f"{','.join(row)}\n" for row in rows)
