"""A framework pins one version of NVIDIA's packages, and another is installed: two frameworks wanted different ones."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for packages in stack(image).sites.values():
        for one in packages.values():
            wrong = [
                (packages[name], version)
                for name, version in one.pins.items()
                if name.startswith("nvidia-") and name in packages and not matches(packages[name].version, version)
            ]
            if wrong:
                told = ", ".join(f"{there.name} {version} (there is {there.version})" for there, version in wrong[:3])
                yield Broken(
                    cause=f"{one.name} {one.version} wants {told}",
                    fix="install both with one pip command, so that it finds fitting versions, or in two venvs",
                    paths=(one.path, *(there.path for there, _ in wrong)),
                )


def matches(version: str, wanted: str) -> bool:
    """True where an installed version is the wanted one; zeros at the end and local parts do not count."""
    public = version if "+" in wanted else version.partition("+")[0]
    return _bare(public) == _bare(wanted)


def _bare(version: str) -> str:
    number, plus, local = version.partition("+")
    while number.endswith(".0"):
        number = number.removesuffix(".0")
    return number + plus + local


RULE = Rule(
    id="I-FRAMEWORK-8",
    title="two packages want different versions of NVIDIA's packages",
    area="framework",
    severity="warning",
    why="Each framework is tested with just one version of cuDNN, cuBLAS and NCCL; others fail in rare places.",
    look=_look,
)
