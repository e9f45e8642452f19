"""Programs of the driver in the image: nvidia-smi, daemons, and what an administrator of the host uses."""

from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = "leave them out, and set ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility: nvidia-smi then comes from the host"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = filter(driver.is_program, image.entries.values())
    yield from each_layer(found, "programs of the driver are in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-5",
    title="the image holds programs of the driver",
    area="boundary",
    severity="error",
    why="nvidia-smi must have the version of the kernel module, and the daemons belong to the host.",
    look=_look,
)
