"""A compatibility package older than the CUDA of the image: it stands for a driver that does not run that."""

from collections.abc import Iterator

from linkspan.check.cuda import cuda_of, driver_for, older
from linkspan.check.inside import version_of
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = stack(image)
    driver = version_of(found.compat.path) if found.compat else ""
    cuda = found.called
    if found.compat and older(cuda_of(driver), cuda):
        yield Broken(
            cause=f"the compatibility package stands for CUDA {cuda_of(driver)}, and the image has CUDA {cuda}",
            fix=f"install cuda-compat-{cuda.replace('.', '-')} (driver {driver_for(cuda)}), and purge the older one",
            paths=(found.compat.path,),
        )


RULE = Rule(
    id="I-CUDA-8",
    title="the compatibility package is older than CUDA",
    area="cuda",
    severity="warning",
    why="It is there for hosts with old drivers, and there it falls short of what the image's programs ask for.",
    look=_look,
)
