"""Device nodes of GPUs in a layer: made by mknod, or left by a container that had them."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_NODE = re.compile(
    r"/dev/(nvidia(\d+|ctl|-uvm|-uvm-tools|-modeset|-caps/.+|-nvswitch.*|-caps-imex-channels/.+)|dri/.+|dxg|nvgpu/.+)"
)
_FIX = "take mknod and COPY /dev out of the Dockerfile; the engine makes the nodes that a container was given"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if entry.kind != "folder" and _NODE.fullmatch(path))
    yield from each_layer(found, "device nodes of GPUs are in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-14",
    title="device nodes in the image",
    area="boundary",
    severity="error",
    why="Their numbers are those of one host and one boot; on another they are another device, or no device at all.",
    look=_look,
)
