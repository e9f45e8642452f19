"""A GPU is in an error state from which only a reset brings it back; starts fail that have nothing to do with it."""

from collections.abc import Iterator

from linkspan.check.failed_starts import failed, kept
from linkspan.check.kernel_messages import Xid, xids
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import reboot
from linkspan.check.rules.driver_14_lost_gpu import is_gone
from linkspan.check.scene import Device, Scene

ACTION_CHANGED = 154
"""Since driver 560 this one says what is to be done: none, a reset of the GPU, or of the node."""
NEEDS_RESET = {64: "memory row could not be retired", 95: "uncontained memory error", 119: "GSP gave no answer",
               120: "GSP failed"}  # fmt: skip
"""Those of NVIDIA's list of Xids whose remedy is a reset of the GPU."""
_ERROR = r"gpu requires reset|nvml error: unknown error"


def _look(scene: Scene) -> Iterator[Found]:
    errors = [kept(record) for record, _ in failed(scene, _ERROR)]
    for gpu in scene.gpus_by_pci:
        xid = _standing(xids(scene).get(gpu.address, []))
        if xid is not None and not is_gone(scene, gpu) and (errors or xid.number == ACTION_CHANGED):
            yield _found(scene, gpu, xid, tuple(errors[:1]))


def _standing(told: list[Xid]) -> Xid | None:
    """The newest message after which a reset is due, unless a later one says that nothing is."""
    newest = next((xid for xid in reversed(told) if xid.number == ACTION_CHANGED), None)
    if newest is not None:
        wanted = newest.text.rpartition("(")[2]
        return newest if "Reset" in wanted or "Reboot" in wanted else None
    return next((xid for xid in reversed(told) if xid.number in NEEDS_RESET), None)


def _found(scene: Scene, gpu: Device, xid: Xid, errors: tuple[Evidence, ...]) -> Found:
    """A reset is written to no log, so without a start that failed it may have been done since."""
    whole = "Reboot" in xid.text.rpartition("(")[2]
    why = NEEDS_RESET.get(xid.number, f"the driver wants a {'reboot' if whole else 'reset'}")
    reset = (f"nvidia-smi --gpu-reset -i {gpu.address}",) if scene.has("nvidia-smi") and not whole else reboot(scene)
    return Found(
        cause=f"the GPU at {gpu.address} is in an error state (Xid {xid.number}: {why})"
        + (", and lets starts fail that do not ask for it" if errors else ", if it was not reset since"),
        evidence=(xid.evidence, *errors),
        remedy=Remedy(
            text="start the host anew; until then ask for the other GPUs"
            if whole
            else "stop what uses that GPU and reset it; until then ask for the others",
            commands=reset,
        ),
        about=f"GPU {gpu.address}",
        severity=None if errors else "warning",
    )


RULE = Rule(id="D-DRIVER-21", link="pci", severity="error", look=_look)
