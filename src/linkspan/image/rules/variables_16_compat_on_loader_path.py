"""CUDA's compatibility library always in use, wanted or not."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.needs import loader_path
from linkspan.image.registry import Broken, Rule, Target

_COMPAT = re.compile(r"(.*/)?(cuda[^/]*/compat|cuda-compat)(/.*)?")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    words = list(loader_path(image))
    bad = [word for word in words if _COMPAT.fullmatch(word) and _is_there(image, word)]
    if bad:
        rest = ":".join(word for word in words if word and word not in bad)
        yield Broken(
            cause=f"LD_LIBRARY_PATH leads to CUDA's compatibility libraries: {bad[0]}",
            fix=f"ENV LD_LIBRARY_PATH={rest}, since the start adds them itself where they are of use",
        )


def _is_there(image: Image, folder: str) -> bool:
    """NVIDIA's own images name a folder that their start makes, where it is of use; its absence is no fault."""
    return not image.entries or image.resolve(f"{folder}/libcuda.so.1") is not None


RULE = Rule(
    id="I-VARIABLES-16",
    title="compatibility libraries on LD_LIBRARY_PATH",
    area="variables",
    severity="error",
    why="On a newer driver CUDA then ends with error 803, on a GeForce with 804; only some hosts need them at all.",
    look=_look,
)
