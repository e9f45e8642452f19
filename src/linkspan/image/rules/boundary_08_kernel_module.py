"""Kernel modules in the image: a container has no kernel of its own to load them into."""

import re
from collections.abc import Iterator

from linkspan.image.layers import called, each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_MODULE = re.compile(r"[^/]+\.ko(\.(xz|zst|gz))?")
_OURS = re.compile(r"(nvidia|nv_peer_mem|gdrdrv).*")
_FIX = "do not install kernel modules in the image; the host loads the one that fits its kernel"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for entry in called(image, _MODULE) if entry.kind == "file"]
    ours = [entry for entry in found if _is_ours(entry)]
    yield from each_layer(ours, "kernel modules of the driver are in the image: {names}", _FIX)
    # Elsewhere such a name is something else: vim has its tutor in Korean.
    others = [entry for entry in found if not _is_ours(entry) and "/lib/modules/" in entry.path]
    cause = "kernel modules ({bytes}) are in the image: {names}"
    yield from each_layer(others, cause, "do not install packages of kernels in the image", "warning")


def _is_ours(entry: Entry) -> bool:
    return bool(_OURS.fullmatch(entry.name))


RULE = Rule(
    id="I-BOUNDARY-8",
    title="the image holds kernel modules",
    area="boundary",
    severity="error",
    why="All containers share the host's kernel; a module in an image is never loaded, or is loaded over the host's.",
    look=_look,
)
