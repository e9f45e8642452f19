"""A repository of sources with its whole history."""

from collections.abc import Iterator

from linkspan.image.layers import each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_FIX = "put .git into .dockerignore; for what is cloned: RUN git clone --depth 1 … && rm -rf …/.git"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    trees: dict[str, list[Entry]] = {}
    for path, entry in image.entries.items():
        root, inside, _rest = path.partition("/.git/")
        if inside and entry.kind == "file":
            trees.setdefault(root, []).append(entry)
    for root, found in sorted(trees.items()):
        if f"{root}/.git/HEAD" in image.entries:
            yield from each_layer(found, f"the history of {root or '/'} ({{bytes}}) is in the image", _FIX)


RULE = Rule(
    id="I-WEIGHT-11",
    title="a .git folder in the image",
    area="weight",
    severity="warning",
    why="It holds every version of every file, and whatever was ever committed by mistake, passwords among it.",
    look=_look,
)
