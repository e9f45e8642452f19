"""Fixtures of the start path's tests."""

from pathlib import Path

import pytest

from tests.unit.runtime.native import Native


@pytest.fixture
def native(tmp_path: Path) -> Native:
    """A launcher of the test's own."""
    return Native(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """One launcher for all examples of a property."""
    return Native(tmp_path_factory.mktemp("native"))
