"""A package that was built for one PyTorch, beside another: vLLM, torchvision, xformers and their like."""

from collections.abc import Iterator

from linkspan.image.distributions import Distribution
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.rules.framework_08_pinned_wheels import matches
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for packages in stack(image).sites.values():
        torch = packages.get("torch")
        for one in packages.values():
            wanted = _wanted(one) or (_paired(one) if _is_bound(image, one) else "")
            if torch and wanted and not matches(torch.version, wanted) and not _pairs(one, torch.version, wanted):
                yield Broken(
                    cause=f"{one.name} {one.version} was built for torch {wanted}, and it is {torch.version}",
                    fix=f"RUN pip install {one.name}=={one.version.partition('+')[0]} torch=={wanted}",
                    paths=(one.path, torch.path),
                    severity="warning" if _release(wanted) == _release(torch.version) else None,
                )


def _paired(one: Distribution) -> str:
    """The PyTorch that a torchvision without pins is of: 0.15 is of 2.0, and so on (its own table)."""
    minor = one.numbers[1] if one.name == "torchvision" and len(one.numbers) > 1 else 0
    return f"2.{minor - 15}.0" if minor >= 15 else ""


def _is_bound(image: Image, one: Distribution) -> bool:
    """True for a torchvision with operators for one PyTorch only; newer ones have them for all later ones, too."""
    return image.get(f"{one.site}/torchvision/_C.so") is not None


def _pairs(one: Distribution, torch: str, wanted: str) -> bool:
    """True where another patch of the same PyTorch is as good, since no package asked for the very one."""
    return "torch" not in one.pins and one.name == "torchvision" and _release(torch) == _release(wanted)


def _release(version: str) -> list[str]:
    """What a release is called without its patches, between which PyTorch keeps its binary interface."""
    return version.partition("+")[0].split(".")[:2]


def _wanted(one: Distribution) -> str:
    """The PyTorch that a package pins; torchaudio has PyTorch's own version where it pins none, until 2.8."""
    if one.name == "torchaudio" and one.numbers[:1] == (2,) and one.numbers < (2, 9):
        return one.pins.get("torch") or one.version.partition("+")[0]
    return one.pins.get("torch", "")


RULE = Rule(
    id="I-FRAMEWORK-11",
    title="built for another PyTorch than is installed",
    area="framework",
    severity="error",
    why="PyTorch keeps no binary interface between releases: 'undefined symbol' at the import, or a crash later.",
    look=_look,
)
