"""What NVIDIA's installer leaves behind: somebody ran it in the image."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_TRACE = re.compile(
    r"/var/log/nvidia-(installer|uninstall)\.log|(/usr)?/lib/nvidia/(pre-install|pre-uninstall|post-.*)"
    r"|/usr/share/doc/NVIDIA_GLX-[^/]+/.+"
)
_OF_DEBIAN = "/var/lib/dpkg/info/nvidia-installer-cleanup.list"
"""Debian's package that undoes what the installer did, before its own driver comes: it has hooks for the installer."""
_FIX = (
    "take the driver's installer out of the Dockerfile; a CUDA installer needs --silent --toolkit, and never --driver"
)


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if entry.kind == "file" and _TRACE.fullmatch(path))
    if _OF_DEBIAN in image.entries:
        found = (entry for entry in found if "/lib/nvidia/p" not in entry.path)
    yield from each_layer(found, "the driver's installer ran in the image, and left {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-7",
    title="traces of the driver's installer",
    area="boundary",
    severity="warning",
    why="Where it ran, it may have put libraries, programs and configuration in more places than names tell.",
    look=_look,
)
