"""A GPU does not answer on its bus any more."""

from collections.abc import Iterator

from linkspan.check.kernel_messages import xids
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import reboot
from linkspan.check.scene import Device, Scene

_GONE = b"\xff\xff\xff\xff"
"""What the bus gives for a device that is not there: vendor and device id, in the first four bytes (PCI, 7.5.1.1)."""
FALLEN = 79


def is_gone(scene: Scene, gpu: Device) -> bool:
    """True where the bus gives nothing for a device that the driver has, and that is not asleep, as in a notebook."""
    if gpu.driver != "nvidia" or scene.line(f"{gpu.folder}/power/runtime_status") == "suspended":
        return False
    return scene.eyes.read(f"{gpu.folder}/config", 0, 4) == _GONE


def _look(scene: Scene) -> Iterator[Found]:
    for gpu in scene.gpus_by_pci:
        if is_gone(scene, gpu):
            said = [xid.evidence for xid in xids(scene).get(gpu.address, ()) if xid.number == FALLEN][-1:]
            yield Found(
                cause=f"the GPU at {gpu.address} has fallen off the bus"
                + (", and programs that list all GPUs fail with it" if len(scene.gpus_by_pci) > 1 else ""),
                evidence=(Evidence(subject=f"{gpu.folder}/config", field="first bytes", value="ff ff ff ff"), *said),
                remedy=Remedy(
                    text="move the work away and start the host anew, with the power off where that is not enough; "
                    "where it comes again, look at power, cooling and the slot",
                    commands=reboot(scene),
                ),
                about=f"GPU {gpu.address}",
            )


RULE = Rule(id="D-DRIVER-14", link="pci", severity="error", look=_look)
