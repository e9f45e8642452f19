"""cuDNN without some of its parts: the small library at its front opens them by name when it is first used."""

import re
from collections.abc import Iterator

from linkspan.image.loading import is_whole, loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_FRONT = re.compile(r"libcudnn\.so\.([89])")
_CORE = re.compile(r"libcudnn_(graph|ops|cnn)")
"""What everything needs; some leave the others out on purpose, since not every model needs them."""
_PARTS = {
    "8": ("ops_infer", "cnn_infer", "adv_infer"),
    "9": ("graph", "ops", "cnn", "adv", "heuristic", "engines_precompiled", "engines_runtime_compiled"),
}


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not is_whole(image):
        return
    fronts = [one for one in image.elves if one.elf and _FRONT.fullmatch(one.elf.soname)]
    for major in sorted({one.elf.soname[-1] for one in fronts if one.elf}):
        wanted = [f"libcudnn_{part}.so.{major}" for part in _PARTS[major]]
        missing = [name for name in wanted if not loader(image).is_anywhere(name)]
        if missing:
            yield Broken(
                cause=f"libcudnn.so.{major} is there without {', '.join(missing)}",
                fix="copy cuDNN whole, all of libcudnn*.so*, or install its package",
                paths=tuple(one.path for one in fronts if one.elf and one.elf.soname[-1] == major),
                severity=None if any(_CORE.match(name) for name in missing) else "warning",
            )


RULE = Rule(
    id="I-CUDA-9",
    title="cuDNN lacks some of its parts",
    area="cuda",
    severity="error",
    why="They are opened at the first convolution: the program starts, and fails or aborts in the middle of its work.",
    look=_look,
)
