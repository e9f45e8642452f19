"""Configuration for the host's kernel, udev and service manager: no container reads it."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_HOST = re.compile(
    r"/etc/(modprobe\.d|modules-load\.d|dracut\.conf\.d)/[^/]*nvidia[^/]*|/etc/modprobe\.d/[^/]*nouveau[^/]*"
    r"|(/usr)?/lib/(modprobe\.d|modules-load\.d|udev/rules\.d|dracut/dracut\.conf\.d)/[^/]*nvidia[^/]*"
    r"|((/usr)?/lib|/etc)/systemd/system/nvidia-(persistenced|suspend|resume|hibernate|powerd|fabricmanager|imex)\.service"
)
_FIX = "remove what brings them: a package of the driver, or a step that was meant for a host"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for path, entry in image.entries.items() if entry.kind == "file" and _HOST.fullmatch(path))
    yield from each_layer(found, "files configure a host's driver in the image: {names}", _FIX)


RULE = Rule(
    id="I-BOUNDARY-18",
    title="configuration of a host's driver",
    area="boundary",
    severity="info",
    why="Modules are loaded and services started on the host; here these files only show that a driver was there.",
    look=_look,
)
