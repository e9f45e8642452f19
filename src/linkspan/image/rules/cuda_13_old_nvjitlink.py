"""nvJitLink of Python's packages older than the CUDA libraries beside it."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_LINKER = re.compile(r"nvidia-nvjitlink(?:-cu\d+)?")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    parts = [part for part in stack(image).of("cudart", "library") if part.site and len(part.numbers) > 1]
    for linker in (part for part in parts if _LINKER.fullmatch(part.name)):
        for runtime in (part for part in parts if part.key == "cudart" and part.site == linker.site):
            same = runtime.cuda == linker.cuda
            if same and linker.numbers[:2] < runtime.numbers[:2]:
                release = ".".join(map(str, runtime.numbers[:2]))
                yield Broken(
                    cause=f"{linker.name} {linker.version} is older than {runtime.name} {runtime.version}",
                    fix=f"RUN pip install '{linker.name}=={release}.*'",
                    paths=(linker.path, runtime.path),
                )


RULE = Rule(
    id="I-CUDA-13",
    title="nvJitLink older than the libraries that use it",
    area="cuda",
    severity="error",
    why="cuSPARSE and cuSOLVER look for functions of their own release: 'undefined symbol: __nvJitLinkComplete_12_4'.",
    look=_look,
)
