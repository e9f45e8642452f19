"""What a build leaves beside its result: objects, caches of CMake and Ninja, sources of CUDA."""

import re
from collections.abc import Iterator

from linkspan.image.layers import LEAST, each_layer, weight
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_MARK = re.compile(r"CMakeCache\.txt|\.ninja_(log|deps)|build\.ninja")
_PART = re.compile(r".+\.(o|obj|cu|cuh|cpp|cc|cxx|fatbin|ptx|cubin)")
_SYSTEM = re.compile(
    r"/usr/(lib|lib64|libexec|include|share)/.*|/usr/local/(cuda[^/]*|lib|include|share)/.*|/opt/[^/]*conda[^/]*/.*"
)
_FIX = "build in a stage of its own, and COPY --from=build only what was built"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for entry in image.entries.values() if _is_left(entry)]
    marked = any(_MARK.fullmatch(entry.name) for entry in found)
    if marked or weight(found) >= LEAST:
        yield from each_layer(found, "a build tree is in the image: {names} ({bytes})", _FIX)


def _is_left(entry: Entry) -> bool:
    ours = entry.kind == "file" and "-packages/" not in entry.path and not _SYSTEM.fullmatch(entry.path)
    return ours and bool(_MARK.fullmatch(entry.name) or _PART.fullmatch(entry.name))


RULE = Rule(
    id="I-WEIGHT-10",
    title="sources and objects of a build",
    area="weight",
    severity="warning",
    why="Objects and sources are of use to the next build, which does not take place in this image.",
    look=_look,
)
