"""LD_LIBRARY_PATH puts an older library of the system before that of NVIDIA's Python packages."""

import re
from collections.abc import Iterator

from linkspan.image.loading import loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_WHEEL = re.compile(r".*/(?:site|dist)-packages/nvidia/[^/]+/lib/[^/]+")
_RELEASE = re.compile(r"/cuda-(\d+\.\d+)/")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    find = loader(image).find
    seen: dict[str, tuple[str, str, str]] = {}
    for entry in (one for one in image.elves if _WHEEL.fullmatch(one.path) and one.elf):
        for name in entry.elf.needs if entry.elf else ():
            got, own = find(name, entry), find(name, entry, variable=False)
            if (
                got
                and own
                and got.path != own.path
                and _WHEEL.fullmatch(own.path)
                and _is_older(image, got.path, own.path)
            ):
                seen.setdefault(got.path, (name, entry.path, own.path))
    for path, (name, by, wheel) in sorted(seen.items()):
        yield Broken(
            cause=f"{by} gets {path} instead of its own, newer {name}, since LD_LIBRARY_PATH comes first",
            fix='ENV LD_LIBRARY_PATH="", since the configuration of the loader leads to the same folder later',
            paths=(path, wheel, by),
        )


def _is_older(image: Image, system: str, wheel: str) -> bool:
    """Whether the toolkit of the one is of an older release of CUDA than the packages around the other."""
    release = _RELEASE.search(system)
    site = wheel.partition("/nvidia/")[0]
    packages = [part.numbers[:2] for part in stack(image).of("cudart") if part.site == site and len(part.numbers) > 1]
    return bool(release and packages) and _numbers(release) < max(packages)


def _numbers(release: re.Match[str] | None) -> tuple[int, ...]:
    return tuple(map(int, release[1].split("."))) if release else ()


RULE = Rule(
    id="I-LOADER-9",
    title="LD_LIBRARY_PATH shadows newer CUDA libraries",
    area="loader",
    severity="error",
    why="The packages find their own libraries only after that variable: 'undefined symbol: __nvJitLinkCreate_12_8'.",
    look=_look,
)
