"""What of ``/proc/driver/nvidia`` is a container's own."""

from linkspan.facts.model import Gpu, HostFacts
from linkspan.plan.model import DeviceRequest
from linkspan.plan.selection import select


def gpu_folders(facts: HostFacts, request: DeviceRequest) -> tuple[str, ...] | None:
    """The folders in ``/proc/driver/nvidia/gpus`` of the GPUs that are asked for; None where those are all.

    Whoever changes or watches MIG as a whole may see every GPU. Raises what ``select`` raises.
    """
    if facts.platform != "nvml" or not facts.gpus or request.mig_config or request.mig_monitor:
        return None
    chosen = select(facts, request.devices).gpus
    return None if len(chosen) == len(facts.gpus) else tuple(map(_folder, chosen))


def _folder(gpu: Gpu) -> str:
    """The kernel writes a domain with four digits, NVML with eight (``0000:1a:00.0``, ``00000000:1A:00.0``)."""
    domain, _, rest = gpu.pci_bus_id.lower().partition(":")
    return f"{int(domain, 16):04x}:{rest}"
