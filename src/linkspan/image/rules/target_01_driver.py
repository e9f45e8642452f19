"""The target's driver does not run the CUDA of the image."""

from collections.abc import Iterator

from linkspan.check.cuda import is_data_centre, needed_driver
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import by_driver
from linkspan.image.stack import stack
from linkspan.image.torch_builds import build_for, install


def _look(image: Image, target: Target) -> Iterator[Broken]:
    found = stack(image)
    if not target.driver or not found.cuda:
        return
    way = by_driver(image, target)
    if way.way == "not":
        yield Broken(
            cause=f"CUDA {found.called} does not run there: {way.why}",
            fix=f"update the host's driver to {needed_driver(found.cuda)} or later{_others(image, target)}",
            paths=tuple(one.path for one in found.told[:1] if one.path),
        )


def _others(image: Image, target: Target) -> str:
    """What can be done about the image: NVIDIA's compatibility package on data-centre GPUs, or an older CUDA."""
    found = stack(image)
    release = found.release.replace(".", "-")
    centre = bool(target.gpus) and all(map(is_data_centre, target.gpus))
    compat = f", or RUN apt-get install cuda-compat-{release}" if centre and release and not found.compat else ""
    build = build_for(target) if any("torch" in packages for packages in found.sites.values()) else ""
    return f"{compat}, or {install(build)}" if build else f"{compat}, or build the image for an older CUDA"


RULE = Rule(
    id="I-TARGET-1",
    title="the driver is too old for the image's CUDA",
    area="target",
    severity="error",
    why="Every CUDA call fails: 'CUDA driver version is insufficient for CUDA runtime version'.",
    look=_look,
)
