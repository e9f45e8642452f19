"""One buildah with a store of its own for all tests that build."""

from collections.abc import Iterator

import pytest

from tests.builders import buildah, served, stand_ins
from tests.builders.buildah import Buildah
from tests.folders import open_folder


@pytest.fixture(scope="module")
def builder() -> Iterator[Buildah]:
    with open_folder("served") as folder, buildah.opened(stand_ins.add(served.folder(), folder)) as opened:
        yield opened
