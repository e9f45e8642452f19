"""Tests and their data, of the application and of its packages."""

import re
from collections.abc import Iterator

from linkspan.image.layers import each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_PACKAGES = re.compile(r"/.+/(site|dist)-packages(/.+)?/(tests?|testdata|test_data)/.+")
_OWN = re.compile(r"/(app|src|workspace|opt|code|home|srv)(/.+)?/(tests?|testdata|test_data)/.+")
_LEAST_OWN = 5 * 10**6
_LEAST_OF_PACKAGES = 100 * 10**6
"""Those of NumPy, SciPy and pandas together are less: they come with every wheel, and some packages import theirs."""
_FIX_OWN = "put tests into .dockerignore"
_FIX_OF_PACKAGES = "RUN pip install … && rm -rf …/site-packages/NAME/tests, of packages that do not import them"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    files = [entry for entry in image.entries.values() if entry.kind == "file"]
    of_packages = [entry for entry in files if _PACKAGES.fullmatch(entry.path)]
    own = [entry for entry in files if _OWN.fullmatch(entry.path) and not _PACKAGES.fullmatch(entry.path)]
    if weight(own) >= _LEAST_OWN:
        yield from each_layer(own, "tests and their data ({bytes}) are in the image: {names}", _FIX_OWN)
    if weight(of_packages) >= _LEAST_OF_PACKAGES:
        text = "tests of packages and their data ({bytes}) are in the image: {names}"
        yield from each_layer(of_packages, text, _FIX_OF_PACKAGES)


RULE = Rule(
    id="I-WEIGHT-12",
    title="tests in the image",
    area="weight",
    severity="info",
    why="Nothing runs them in production, and their data is often larger than what they test.",
    look=_look,
)
