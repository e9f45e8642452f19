"""For which GPUs the programs of an image hold code."""

import re
from collections.abc import Iterable, Iterator

from linkspan.formats import versions
from linkspan.image.registry import Target
from linkspan.image.wants import Wants

_CODE = re.compile(r"(sm|compute)_(\d{1,2})(\d)([af]?)")


def serves(architectures: Iterable[str], capability: str) -> bool:
    """Whether code runs on a GPU of a compute capability, by the rules of CUDA's programming guide.

    Machine code (``sm_86``) runs on GPUs of its major version that are not older; PTX (``compute_80``) is compiled for
    every GPU that is not older; with an ``a`` both are for exactly one, with an ``f`` for that of its major version.
    """
    wanted = versions.parse(capability) or ()
    return bool(wanted) and any(_runs(match, wanted) for text in architectures if (match := _CODE.fullmatch(text)))


def _runs(match: re.Match[str], wanted: tuple[int, ...]) -> bool:
    of = int(match[2]), int(match[3])
    if match[4] == "a":
        return of == wanted
    return of <= wanted and (of[0] == wanted[0] or (match[1] == "compute" and not match[4]))


def lacking(wants: Wants, target: Target) -> Iterator[str]:
    """For each GPU of the target, how many programs hold no code for it, of those that hold code for others."""
    programs = wants.holds_gpu_code
    known = ((name, number) for name, number in zip(target.gpus, target.capabilities, strict=False) if number)
    for name, capability in known:
        without = [one for one in programs if one.elf and not serves(one.elf.architectures or (), capability)]
        if without:
            counts = f"{len(without)} of {len(programs)} programs with code for GPUs"
            yield f"{counts} have none for {name} ({capability}), such as {without[0].path}"
