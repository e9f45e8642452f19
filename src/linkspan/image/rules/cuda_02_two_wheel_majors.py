"""NVIDIA's Python packages of two CUDA major versions in one folder of packages."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for site in stack(image).sites:
        found = [part for part in stack(image).of("cudart", "library", "cudnn", "nccl") if part.site == site]
        majors = sorted({part.cuda for part in found if part.cuda})
        if len(majors) > 1:
            first = [part for part in found if part.cuda == majors[0]]
            yield Broken(
                cause=f"{site} has packages of CUDA {' and '.join(map(str, majors))}, such as {first[0].name}",
                fix=f"RUN pip uninstall -y {' '.join(sorted(part.name for part in first))}, if nothing asks for them",
                paths=tuple(part.path for part in (*first, *found) if part.path),
            )


RULE = Rule(
    id="I-CUDA-2",
    title="Python packages of two CUDA major versions",
    area="cuda",
    severity="warning",
    why="Two packages were installed for different CUDA versions; cuDNN and NCCL of both lie in the very same folder.",
    look=_look,
)
