"""Static libraries: what is to be linked is linked already."""

import re
from collections.abc import Iterator

from linkspan.image.compilers import needs_c, needs_nvcc
from linkspan.image.layers import LEAST, called, each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_STATIC = re.compile(r"lib.+\.a")
_KEPT = ("libcudadevrt.a", "libcudart_static.a")
"""What nvcc links every program with."""
_OF_WHEELS, _MUCH = 50 * 10**6, 20 * 10**6
"""Bytes: a few megabytes in wheels nobody picks out of them, and a few elsewhere are no reason to worry."""
_FIX = "RUN find / -xdev -name '*.a' -delete in the RUN that installed them, or take a runtime image for the last stage"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for entry in called(image, _STATIC) if entry.kind == "file"]
    if needs_nvcc(image):
        found = [entry for entry in found if entry.name not in _KEPT]
    if needs_c(image):
        found = [entry for entry in found if "cuda" in entry.path]
    if weight(one for one in found if "-packages/" in one.path) < _OF_WHEELS:
        found = [one for one in found if "-packages/" not in one.path]
    if weight(found) >= LEAST:
        much = weight(found) >= _MUCH
        yield from each_layer(
            found, "static libraries ({bytes}) are in the image: {names}", _FIX, None if much else "info"
        )


RULE = Rule(
    id="I-WEIGHT-4",
    title="static libraries in the image",
    area="weight",
    severity="warning",
    why="CUDA's static libraries are larger than its shared ones, and no program opens them when it runs.",
    look=_look,
)
