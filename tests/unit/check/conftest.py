"""Simulated hosts stand on real device nodes, and their spec is made by asking the simulated NVML."""

import os
import stat
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _nodes_can_be_made(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "probe", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.unlink(tmp_path / "probe")
    except PermissionError:
        pytest.skip("this user may not make device nodes, which a simulated host has")
