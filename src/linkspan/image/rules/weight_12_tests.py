"""Tests and their data, of the application and of its packages."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_TEST = re.compile(
    r"/(.+/(site|dist)-packages|app|src|workspace|opt|code|home|srv)(/.+)?/(tests?|testdata|test_data)/.+"
)
_LEAST = 5 * 10**6
_FIX = "put tests into .dockerignore; of packages: RUN pip install … && rm -rf …/site-packages/*/tests"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for path, entry in image.entries.items() if entry.kind == "file" and _TEST.fullmatch(path)]
    if weight(found) >= _LEAST:
        yield from each_layer(found, "tests and their data ({bytes}) are in the image: {names}", _FIX)


RULE = Rule(
    id="I-WEIGHT-12",
    title="tests in the image",
    area="weight",
    severity="info",
    why="Nothing runs them in production, and their data is often larger than what they test.",
    look=_look,
)
