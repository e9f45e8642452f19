"""A project's folder, read: the names of its files, and the texts that tell what it needs.

The folder may be a stranger's: links are not followed, special files are left alone, and everything is bounded.
"""

import fnmatch
import os
import re
import stat

from linkspan.errors import ConfigError
from linkspan.facts.model import Model

_DEEPEST = 5
_MOST_FILES = 4000
_MOST_TEXTS = 300
_LARGEST = 256 << 10
_PLAIN = re.compile(r"[\w./+@-]+")
"""Names that can stand in a Dockerfile as they are; a project's files have no others."""
_SKIPPED = frozenset({"node_modules", "venv", "env", "build", "dist", "site-packages", "__pycache__", "third_party"})
_WANTED = (
    *("pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "environment.y*ml", ".python-version"),
    *("CMakeLists.txt", "Makefile", "makefile", "*.py", "*.cu", "*.cuh", "*.cpp", "*.cc", "*.h", "config.pbtxt"),
)


class Project(Model, frozen=True, kw_only=True):
    """A project: its name, its files by relative path, and the texts of those that tell something."""

    name: str
    files: tuple[str, ...]
    texts: dict[str, str]

    def matching(self, *patterns: str) -> dict[str, str]:
        """The texts whose file has a name that matches, those nearer to the top first."""
        found = [
            path for path in self.texts if any(fnmatch.fnmatchcase(path.rpartition("/")[2], one) for one in patterns)
        ]
        return {path: self.texts[path] for path in sorted(found, key=lambda path: (path.count("/"), path))}


def read(folder: str) -> Project:
    """Read a project. Raises ConfigError where there is no such folder, OSError where it cannot be looked into."""
    if not os.path.isdir(folder):
        raise ConfigError(f"{folder} is no folder", hint="name the folder that the project is in", subject=folder)
    os.scandir(folder).close()  # os.walk would take what cannot be read for empty
    files = sorted(_files(folder), key=lambda path: (path.count("/"), path))
    wanted = [path for path in files if any(fnmatch.fnmatchcase(path.rpartition("/")[2], one) for one in _WANTED)]
    texts = {path: text for path in wanted[:_MOST_TEXTS] if (text := _text(f"{folder}/{path}")) is not None}
    name = os.path.basename(os.path.abspath(folder)) or "app"
    return Project(name=name, files=tuple(files), texts=texts)


def _files(folder: str) -> list[str]:
    found: list[str] = []
    for top, folders, names in os.walk(folder):
        below = os.path.relpath(top, folder)
        depth = 0 if below == "." else below.count("/") + 1
        # A folder that starts with a dot holds what tools keep, not what the project is.
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        folders[:] = folders if depth < _DEEPEST else []
        paths = (name if below == "." else f"{below}/{name}" for name in sorted(names))
        found += [path for path in paths if _PLAIN.fullmatch(path)]
        if len(found) > _MOST_FILES:
            return found[:_MOST_FILES]
    return found


def _text(path: str) -> str | None:
    """The text of a file, None where it is not a plain one or cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return file.read(_LARGEST).decode("utf-8", "replace")
