"""Several CuPy packages in one folder: all of them are the module cupy, and the last one won."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for site in stack(image).sites:
        found = [part for part in stack(image).of("cupy") if part.site == site]
        if len(found) > 1:
            names = " ".join(sorted(part.name for part in found))
            yield Broken(
                cause=f"{names.replace(' ', ' and ')} are both installed",
                fix=f"RUN pip uninstall -y {names} && pip install cupy-cuda{max(stack(image).majors, default=12)}x",
                paths=tuple(part.path for part in found),
            )


RULE = Rule(
    id="I-FRAMEWORK-14",
    title="several CuPy packages are installed",
    area="framework",
    severity="error",
    why="They overwrite each other's files; CuPy warns of it, and then may load modules of two CUDA versions.",
    look=_look,
)
