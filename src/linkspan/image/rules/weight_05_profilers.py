"""Profilers and debuggers of CUDA."""

import re
from collections.abc import Iterator

from linkspan.image.layers import LEAST, each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_TOOL = re.compile(
    r"/opt/nvidia/nsight-[^/]+/.+|/usr/local/cuda[^/]*/(nsight[^/]*|libnvvp|compute-sanitizer|extras/(Sanitizer|Debugger)"
    r"|extras/CUPTI/(doc|samples))/.+|/usr/local/cuda[^/]*/bin/(cuda-gdb.*|nvprof|nvvp|nsys.*|ncu.*|compute-sanitizer)"
)
_FIX = "leave cuda-command-line-tools and nsight out of the last stage; mount them where something is to be measured"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for path, entry in image.entries.items() if entry.kind == "file" and _TOOL.fullmatch(path)]
    if weight(found) >= LEAST:
        yield from each_layer(found, "profilers and debuggers ({bytes}) are in the image: {names}", _FIX)


RULE = Rule(
    id="I-WEIGHT-5",
    title="profilers and debuggers in the image",
    area="weight",
    severity="warning",
    why="They are of the heaviest parts of CUDA, and an image in production is rarely measured from inside.",
    look=_look,
)
