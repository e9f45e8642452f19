"""A simulated host that stands on disk, to be changed as its users and its packages would change it."""

import glob
import json
import os
from collections.abc import Callable
from typing import Any

from linkspan.errors import RequestError
from linkspan.kernel import trees
from linkspan.sim.processes import BOOTED, INSTALLED
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import File, Link, Node, Tree, inside, text, write

RECENTLY = BOOTED + 30 * 86400
"""A time after every daemon of a simulated host was started."""


class Machine:
    """A simulated host; every path is one of the host's, and changes stay below its root."""

    def __init__(self, root: str, spec: SimSpec) -> None:
        self.root = root
        self.spec = spec

    def read(self, path: str) -> str:
        """The text of a file."""
        with open(inside(self.root, path), encoding="utf-8") as file:
            return file.read()

    def put(self, tree: Tree, changed: float = INSTALLED) -> None:
        """Write entries in place of what is there."""
        for path in tree:
            self._clear(path)
        write(self.root, tree)
        for path in tree:
            self.touch(path, changed)

    def _clear(self, path: str) -> None:
        place = inside(self.root, path)
        if os.path.isdir(place) and not os.path.islink(place):
            trees.remove_tree(place)

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644, changed: float = INSTALLED) -> None:
        """Write a file whole, and say when that was."""
        entry = File(content, mode) if isinstance(content, bytes) else text(content)._replace(mode=mode)
        self.put({path: entry}, changed)

    def append(self, path: str, content: str, *, changed: float = INSTALLED) -> None:
        """Add to the end of a file, which is made where there is none."""
        old = self.read(path) if os.path.exists(inside(self.root, path)) else ""
        self.write(path, old + content, changed=changed)

    def replace(self, path: str, old: str, new: str, *, changed: float = INSTALLED) -> None:
        """Change a text; RequestError where it is not there, so that a fault is never one in name only."""
        content = self.read(path)
        if old not in content:
            raise RequestError(f"{path} has no {old!r} that could be changed", subject=path)
        self.write(path, content.replace(old, new), changed=changed)

    def edit_json(self, path: str, change: Callable[[Any], None], *, changed: float = INSTALLED) -> None:
        """Change a JSON document in place."""
        document = json.loads(self.read(path))
        change(document)
        self.write(path, json.dumps(document, indent=2) + "\n", changed=changed)

    def remove(self, *patterns: str) -> None:
        """Take away what matches; RequestError where nothing does."""
        for pattern in patterns:
            found = glob.glob(self.root + glob.escape("") + pattern)
            if not found:
                raise RequestError(f"nothing of {pattern} is simulated on this host, so it cannot go missing")
            for place in found:
                if os.path.isdir(place) and not os.path.islink(place):
                    trees.remove_tree(place)
                else:
                    trees.remove_file(place)

    def link(self, path: str, target: str) -> None:
        """Make a symlink in place of what is there."""
        self.put({path: Link(target)})

    def node(self, path: str, major: int, minor: int, mode: int = 0o666) -> None:
        """Make a device node in place of what is there."""
        self.put({path: Node(major, minor, mode)})

    def touch(self, path: str, when: float) -> None:
        """Say when a path was last changed."""
        os.utime(inside(self.root, path), (when, when), follow_symlinks=False)

    def age(self) -> None:
        """Let everything be older than the start of the host."""
        for folder, folders, names in os.walk(self.root):
            for name in (*folders, *names):
                os.utime(os.path.join(folder, name), (INSTALLED, INSTALLED), follow_symlinks=False)
