"""An installer of the driver, or of CUDA with the driver in it, left in the image."""

import re
from collections.abc import Iterator

from linkspan.image.layers import called, each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_RUN = re.compile(
    r"NVIDIA-Linux-[^/]+\.run|cuda_\d[\d.]*_\d{3}[\d.]*_linux[^/]*(\.run)?|NVIDIA-kepler-vGX-Linux.*\.run"
)
_FIX = "RUN … && rm -f {path} in the RUN that fetched it; better start from nvidia/cuda, which needs no installer"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for entry in called(image, _RUN) if entry.kind == "file")
    for entry in found:
        yield from each_layer([entry], "the installer {names} is left in the image", _FIX.replace("{path}", entry.path))


RULE = Rule(
    id="I-BOUNDARY-6",
    title="an installer of the driver",
    area="boundary",
    severity="error",
    why="It carries a whole driver, which no container may install, and every pull pays for its size.",
    look=_look,
)
