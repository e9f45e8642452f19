"""The MIG instances that a host's driver has now, by their capabilities below /proc."""

import re
from typing import NamedTuple

from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.nodes import CAPS
from linkspan.formats import procfs

_FOLDER = "/proc/driver/nvidia/capabilities"
_MOST_GPUS = 64


class Instance(NamedTuple):
    """A capability that opens an instance: its file below /proc, the minor of its node, and whether it computes."""

    name: str
    path: str
    minor: int
    compute: bool

    @property
    def node(self) -> str:
        """Where its node belongs."""
        return f"{CAPS}/nvidia-cap{self.minor}"


def instances(scene: Scene) -> list[Instance]:
    """Those of GPU instances and of compute instances, in the order of their names."""
    found: list[Instance] = []
    for gpu in [name for name in scene.eyes.names(_FOLDER) if re.fullmatch(r"gpu\d+", name)][:_MOST_GPUS]:
        for gi in _numbered(scene, f"{gpu}/mig", "gi"):
            found += _one(scene, f"{gpu}/mig/{gi}", compute=False)
            for ci in _numbered(scene, f"{gpu}/mig/{gi}", "ci"):
                found += _one(scene, f"{gpu}/mig/{gi}/{ci}", compute=True)
    return found


def _numbered(scene: Scene, folder: str, kind: str) -> list[str]:
    return [name for name in scene.eyes.names(f"{_FOLDER}/{folder}") if re.fullmatch(rf"{kind}\d+", name)]


def _one(scene: Scene, name: str, *, compute: bool) -> list[Instance]:
    path = f"{_FOLDER}/{name}/access"
    try:
        fields = procfs.params(scene.eyes.text(path, 4096) or "")
    except FormatError:
        return []
    minor = fields.get("DeviceFileMinor", "")
    return [Instance(name, path, int(minor), compute)] if minor.isdecimal() else []
