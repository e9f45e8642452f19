"""CUDA's compiler in an image that compiles no CUDA."""

import re
from collections.abc import Iterator

from linkspan.image.compilers import needs_nvcc
from linkspan.image.layers import called, each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

# Not ptxas, nvlink and fatbinary: JAX, TensorFlow and Triton call them, too.
_TOOL = re.compile(r"nvcc|cicc|cudafe\+\+|bin2c|cuobjdump|nvdisasm|nvprune|__nvcc_device_query|libnvvm\.so.*")
_FIX = "FROM nvidia/cuda:…-runtime-… in the last stage, and the devel image only in the stage that compiles"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not needs_nvcc(image):
        found = (entry for entry in called(image, _TOOL) if _is_tool(entry))
        yield from each_layer(found, "CUDA's compiler is in the image: {names} ({bytes})", _FIX)


def _is_tool(entry: Entry) -> bool:
    whole = entry.kind == "file" and entry.size > 0 and "-packages/" not in entry.path
    return whole and ("/cuda" in entry.path or entry.name in ("nvcc", "cicc"))


RULE = Rule(
    id="I-WEIGHT-2",
    title="nvcc in the image",
    area="weight",
    severity="warning",
    why="What is compiled needs no compiler, and CUDA's licence does not count it among what may be handed on.",
    look=_look,
)
