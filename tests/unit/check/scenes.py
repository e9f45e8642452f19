"""Scenes for tests: a few files below a folder, looked at as a host is."""

from collections.abc import Mapping
from pathlib import Path

from linkspan.check.eyes import Ledger, live
from linkspan.check.scene import Scene
from linkspan.sim.tree import Entry, text, write


def scene(root: Path, files: Mapping[str, Entry | str]) -> Scene:
    """The scene of a host that has these files alone."""
    write(str(root), {path: text(one) if isinstance(one, str) else one for path, one in files.items()})
    return Scene(live(str(root), Ledger()))
