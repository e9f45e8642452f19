"""NVRTC without its builtins, a library of its own that it opens by name."""

import re
from collections.abc import Iterator

from linkspan.image.loading import is_own, is_whole
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_COMPILER = re.compile(r"libnvrtc(-[0-9a-f]{8})?\.so\.[\d.]+")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not is_whole(image):
        return
    folders = {entry.folder for entry in image.entries.values() if entry.name.startswith("libnvrtc-builtins")}
    bare = [one for one in image.elves if is_own(one) and _COMPILER.fullmatch(one.name) and one.folder not in folders]
    if bare:
        yield Broken(
            cause=f"{bare[0].path} stands without libnvrtc-builtins",
            fix="copy libnvrtc-builtins.so* of the same version beside it, or install cuda-nvrtc",
            paths=tuple(one.path for one in bare),
        )


RULE = Rule(
    id="I-CUDA-12",
    title="NVRTC without its builtins",
    area="cuda",
    severity="error",
    why="Every kernel that is compiled at run time fails: 'nvrtc: error: failed to open libnvrtc-builtins.so'.",
    look=_look,
)
