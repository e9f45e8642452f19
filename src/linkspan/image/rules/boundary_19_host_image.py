"""An image that brings the driver or the toolkit to its host: the rules on what belongs to the host are not for it."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.purpose import purpose
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = purpose(image)
    if found:
        yield Broken(
            cause=f"the image is {found.what}: it starts {found.program}, so what belongs to the host is not judged",
            fix="nothing; should applications run in it, start them from an image of their own",
            paths=(found.program,),
        )


RULE = Rule(
    id="I-BOUNDARY-19",
    title="an image for hosts, not for applications",
    area="boundary",
    severity="info",
    why="Its driver or toolkit is meant for the host that it runs on; an application's image must have neither.",
    look=_look,
)
