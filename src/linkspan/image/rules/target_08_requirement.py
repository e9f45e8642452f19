"""What the image itself requires of driver and GPU, which the start checks, and the target does not meet."""

from collections.abc import Iterator

from linkspan.check.cuda import cuda_of
from linkspan.errors import RequirementError
from linkspan.facts.model import Driver, Gpu, HostFacts
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.plan.requirements import check, read_requirements
from linkspan.plan.sources import is_legacy_image


def _look(image: Image, target: Target) -> Iterator[Broken]:
    if not target.driver:
        return
    env = image.config.variables
    facts = HostFacts(driver=Driver(version=target.driver, cuda_version=cuda_of(target.driver)))
    # The brand is left open: the name of a GPU does not tell it, and what is not known is taken to fit.
    gpus = [
        Gpu(index=number, minor=number, uuid="", name="", pci_bus_id="", compute_capability=able)
        for number, able in enumerate(target.capabilities)
    ]
    try:
        check(read_requirements(env, legacy_image=is_legacy_image(env)), facts, gpus)
    except RequirementError as error:
        yield Broken(
            cause=f"a container of it is not started there: {error}",
            fix="update the host's driver, or build on an image of an older CUDA",
        )


RULE = Rule(
    id="I-TARGET-8",
    title="the target does not meet what the image requires",
    area="target",
    severity="error",
    why="The start reads NVIDIA_REQUIRE_CUDA literally, and refuses even what would run by compatibility.",
    look=_look,
)
