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
_OF_PACKAGES = 30 * 10**6
"""Bytes: NumPy and SciPy alone bring some 15 MB of tests, which nobody thinks about."""
_FIX = "put tests into .dockerignore"
_PIP = "RUN pip install … && find / -xdev -path '*-packages/*/tests' -prune -exec rm -rf {} +, in the same RUN"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = [entry for path, entry in image.entries.items() if entry.kind == "file" and _TEST.fullmatch(path)]
    own = [entry for entry in found if "-packages/" not in entry.path]
    of_packages = [entry for entry in found if "-packages/" in entry.path]
    if weight(own) >= _LEAST:
        yield from each_layer(own, "tests and their data ({bytes}) are in the image: {names}", _FIX)
    if weight(of_packages) >= _OF_PACKAGES:
        yield from each_layer(of_packages, "tests of Python packages ({bytes}) are in the image: {names}", _PIP)


RULE = Rule(
    id="I-WEIGHT-12",
    title="tests in the image",
    area="weight",
    severity="info",
    why="Nothing runs them in production, and their data is often larger than what they test.",
    look=_look,
)
