"""One framework in two folders of packages: a venv that does not see the system's packages, or a second Python."""

from collections.abc import Iterator

from linkspan.image.distributions import Distribution, files_of
from linkspan.image.layers import weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_LARGE = {"torch": "torch", "tensorflow": "tensorflow", "jaxlib": "jaxlib", "vllm": "vllm"}
"""Frameworks of some hundred megabytes, with their folders."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    sites = stack(image).sites.values()
    for name, folder in _LARGE.items():
        found = [packages[name] for packages in sites if name in packages]
        if len(found) > 1:
            sizes = [weight(files_of(image, one.site, folder)) for one in found]
            yield Broken(
                cause=f"{name} is there {len(found)} times: {' and '.join(map(_told, found))}",
                fix="keep the one that the program's Python finds, and build the image without the others",
                paths=tuple(one.path for one in found),
                bytes=sum(sizes) - max(sizes),
            )


def _told(one: Distribution) -> str:
    return f"{one.version} in {one.site}"


RULE = Rule(
    id="I-FRAMEWORK-17",
    title="a framework is installed twice",
    area="framework",
    severity="warning",
    why="PATH decides which of them runs, with the CUDA of its own, and the other one is dead weight.",
    look=_look,
)
