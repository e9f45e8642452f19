"""A GPU that is bound to vfio-pci, for a virtual machine: NVML and containers do not see it."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Device, Scene

DRIVER = "vfio-pci"


def _look(scene: Scene) -> Iterator[Found]:
    gpus = scene.gpus_by_pci
    bound = [gpu for gpu in gpus if gpu.driver == DRIVER]
    if bound:
        every = len(bound) == len(gpus)
        yield Found(
            cause=f"{len(bound)} of {len(gpus)} GPUs are bound to {DRIVER}, which keeps them for a virtual machine",
            evidence=tuple(Evidence(subject=f"{gpu.folder}/driver", value=DRIVER) for gpu in bound),
            remedy=Remedy(
                text="leave them to the virtual machine, or give them back to the driver",
                commands=tuple(line for gpu in bound for line in _back(gpu)),
            ),
            severity="error" if every else "info",
        )


def _back(gpu: Device) -> tuple[str, ...]:
    """Without the first, vfio-pci would take it again; the last lets the kernel find its driver."""
    return (
        f"echo >{gpu.folder}/driver_override",
        f"echo {gpu.address} >/sys/bus/pci/drivers/{DRIVER}/unbind",
        f"echo {gpu.address} >/sys/bus/pci/drivers_probe",
    )


RULE = Rule(id="D-CDI-13", link="module", severity="error", look=_look)
