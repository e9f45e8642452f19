"""The driver's firmware: the kernel of the host loads it, never a container."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

# Folders of chips beside those of versions (ga102, tu102) are nouveau's, and come with linux-firmware.
_FIRMWARE = re.compile(r"(/usr)?/lib/firmware/nvidia/\d{3}\.[\d.]+/[^/]+")
_FIX = "do not install the driver's firmware in the image; the host has the one of its own driver"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    fitting = (entry for path, entry in image.entries.items() if _FIRMWARE.fullmatch(path))
    found = (entry for entry in fitting if entry.kind == "file" and entry.size)
    yield from each_layer(found, "files of the driver's firmware ({bytes}) are in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-10",
    title="the image holds the driver's firmware",
    area="boundary",
    severity="error",
    why="Firmware is loaded by the kernel module from the host's files, and must have that module's version.",
    look=_look,
)
