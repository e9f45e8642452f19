"""A root filesystem, and its descriptor."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.kernel import paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty root, with a folder of the host around it."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def root_fd(root: Path) -> Iterator[int]:
    """The root's descriptor; nothing else may be left open at the end."""
    before = set(os.listdir("/proc/self/fd"))
    descriptor = paths.open_root(str(root))
    yield descriptor
    os.close(descriptor)
    assert set(os.listdir("/proc/self/fd")) <= before
