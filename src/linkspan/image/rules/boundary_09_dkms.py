"""Sources of the kernel module, and DKMS to build it with."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SOURCE = re.compile(
    r"/usr/src/nvidia(-[a-z0-9]+)*-\d[\d.]*/.+|/var/lib/dkms/nvidia.*/.+|(/usr)?/s?bin/dkms|/usr/src/(linux-headers|kernels)[-/].+"
)
_FIX = "do not install nvidia-dkms, dkms or kernel headers in the image; the host builds its module"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if entry.kind == "file" and _SOURCE.fullmatch(path))
    yield from each_layer(found, "files to build kernel modules with ({bytes}) are in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-9",
    title="the image builds kernel modules",
    area="boundary",
    severity="error",
    why="DKMS builds for the kernel that it finds, that of the image's builder, and loads nothing in a container.",
    look=_look,
)
