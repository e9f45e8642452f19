"""Headers, which only a compiler reads."""

import re
from collections.abc import Iterator

from linkspan.image.compilers import needs_c, needs_nvcc
from linkspan.image.layers import LEAST, each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_CUDA = re.compile(r"/usr/local/cuda[^/]*/(targets/[^/]+/)?include/.+|/usr/include/(.*/)?(cu|nccl|Nv|npp)[^/]*\.h")
_SYSTEM = re.compile(r"/usr/(local/)?include/.+")
_FIX = "install the packages without -dev and -devel in the last stage, or start it from a runtime image"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    wanted = [one for one, needed in ((_CUDA, needs_nvcc(image)), (_SYSTEM, needs_c(image))) if not needed]
    fitting = (
        entry
        for path, entry in image.entries.items()
        if "/include/" in path and any(one.fullmatch(path) for one in wanted)
    )
    found = [entry for entry in fitting if entry.kind == "file"]
    if weight(found) >= LEAST:
        yield from each_layer(found, "headers ({bytes}) are in the image: {names}", _FIX)


RULE = Rule(
    id="I-WEIGHT-3",
    title="headers in the image",
    area="weight",
    severity="info",
    why="Nothing that runs reads them; they show that packages for development were installed.",
    look=_look,
)
