"""Sockets of the driver's daemons, and MPS's pipes: empty names in a layer, where the host's are mounted later."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SOCKET = re.compile(
    r"(/var)?/run/nvidia-(persistenced|fabricmanager|imex|topologyd)/.+|/tmp/nvidia-(mps|log)/.+|/run/nvidia/driver/.+"
)
_FIX = "RUN rm -rf /run/nvidia-persistenced /run/nvidia-fabricmanager /tmp/nvidia-mps, in the layer that left them"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if entry.kind != "folder" and _SOCKET.fullmatch(path))
    yield from each_layer(found, "the image holds what daemons of a driver left: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-15",
    title="sockets of the driver's daemons",
    area="boundary",
    severity="warning",
    why="A file in the place of a socket is taken for a daemon that does not answer, and stands in the way of a mount.",
    look=_look,
)
