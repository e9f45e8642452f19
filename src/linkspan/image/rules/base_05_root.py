"""Programs run as root, which a GPU does not ask for."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target


def _look(image: Image, _: Target) -> Iterator[Broken]:
    user = image.config.user.partition(":")[0]
    if image.config.is_there and user in ("", "root", "0"):
        yield Broken(cause="the image runs its programs as root", fix="RUN useradd --create-home app, and USER app")


RULE = Rule(
    id="I-BASE-5",
    title="the image runs as root",
    area="base",
    severity="warning",
    why="The nodes of a GPU are open to all users, so that root is of no use, and a broken program has all rights.",
    look=_look,
)
