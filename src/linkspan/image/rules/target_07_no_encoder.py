"""A program that encodes video, for a GPU that has no encoder."""

from collections.abc import Iterator

from linkspan.image.loading import is_own
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_LIBRARY = "libnvidia-encode.so.1"
_WITHOUT = {"8.0": "A100 and A30", "9.0": "H100 and H200", "10.0": "B200", "10.3": "B300"}
"""Compute capabilities of GPUs that only compute (NVIDIA's table of encoders and decoders)."""


def _look(image: Image, target: Target) -> Iterator[Broken]:
    users = [one for one in image.elves if is_own(one) and one.elf and _LIBRARY in one.elf.needs]
    for able in target.capabilities:
        if users and able in _WITHOUT:
            yield Broken(
                cause=f"{users[0].path} encodes video, and GPUs like {_WITHOUT[able]} have no encoder",
                fix="run it on a GPU with NVENC, such as L4, L40S, A10 or T4, or encode on the processor",
                paths=tuple(one.path for one in users),
            )


RULE = Rule(
    id="I-TARGET-7",
    title="the GPU has no video encoder",
    area="target",
    severity="warning",
    why="The library comes with the driver; opening a session fails with NV_ENC_ERR_UNSUPPORTED_DEVICE.",
    look=_look,
)
