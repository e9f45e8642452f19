"""What holds for the tests of engines."""

import os
import posix

import pytest


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """A killed process loses nothing that it wrote, so thousands of edits need no disk to be waited for."""
    for module in (os, posix):
        monkeypatch.setattr(module, "fsync", lambda _: None)
