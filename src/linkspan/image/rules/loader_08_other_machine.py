"""Programs and libraries for another machine than the image says that it is for."""

from collections.abc import Iterator

from linkspan.image.loading import is_own
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_MACHINES = {"amd64": 62, "arm64": 183, "ppc64le": 21}
_NAMES = {62: "x86-64", 183: "64-bit ARM", 21: "PowerPC", 3: "32-bit x86", 40: "32-bit ARM"}
_COMPANIONS = {3, 40}
"""Their 32-bit forerunners run beside them, and are there on purpose. So are GPUs and microcontrollers, below."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    wanted = _MACHINES.get(image.config.architecture)
    if not wanted:
        return
    others = set(_NAMES) - _COMPANIONS - {wanted}
    found = [one for one in image.elves if is_own(one) and one.elf and one.elf.machine in others]
    native = sum(1 for one in image.elves if one.elf and one.elf.machine == wanted)
    if found:
        name = _NAMES[found[0].elf.machine] if found[0].elf else ""
        yield Broken(
            cause=f"the image is for {image.config.architecture}, and {found[0].path} is for {name}",
            fix=f"build with docker buildx build --platform linux/{image.config.architecture}, and copy nothing across",
            paths=tuple(one.path for one in found),
            severity="error" if len(found) > native else None,
        )


RULE = Rule(
    id="I-LOADER-8",
    title="a file for another machine",
    area="loader",
    severity="warning",
    why="It ends with 'exec format error', or a library of it is passed over as if it were missing.",
    look=_look,
)
