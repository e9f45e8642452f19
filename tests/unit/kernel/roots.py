"""Root filesystems for the tests of what is done below one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Link(NamedTuple):
    """A symlink to put into a root."""

    target: str


def make(root: Path, tree: Mapping[str, bytes | str | Link | None]) -> Path:
    """Fill ``root`` with files, links and, for None, folders."""
    root.mkdir(exist_ok=True)
    for path, content in tree.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            place.mkdir(exist_ok=True)
        elif isinstance(content, Link):
            place.symlink_to(content.target)
        else:
            place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def snapshot(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Everything below a root by inode, mode and change time; and what links say."""
    found = {}
    for top, folders, files in os.walk(root):
        for name in (*folders, *files):
            place = Path(top, name)
            status = place.lstat()
            text = os.readlink(place) if place.is_symlink() else ""
            found[str(place.relative_to(root))] = (status.st_ino, status.st_mode, status.st_ctime_ns, text)
    return found
