"""A piece of the GPU stack that was found below a root: which part it belongs to, what it really is, whose it is.

A name alone tells little: the same ``libcuda.so`` is the driver, a stub to link against, NVIDIA's package for forward
compatibility, or an empty file that an earlier container left behind. This module is arithmetic on what was read.
"""

import fnmatch
import re
import stat
from functools import cache
from typing import Literal, NamedTuple

from linkspan.check.boundary import PARTS, Owner
from linkspan.facts.model import Model

Kind = Literal["file", "stub", "compat", "leftover", "link", "node", "other"]
KINDS: dict[Kind, str] = {
    "file": "",
    "stub": "a stub to link against",
    "compat": "NVIDIA's forward compatibility package",
    "leftover": "empty or dangling, left where a container had a mount",
    "link": "a link",
    "node": "a device node",
    "other": "not a library, whatever its name",
}

STUB_BYTES = 200 << 10
"""A stub of libcuda or NVML has 5 to 70 KB; the smallest real libcuda of a supported driver has 14 MB."""

_DRIVER_VERSION = re.compile(r"\.so\.\d{3}\.\d{2,3}(\.\d{2,3})?$")
"""Driver libraries carry the driver's version, whose first number has three digits; no other library's has."""
_VERSION = re.compile(r"\.so\.(\d+(?:\.\d+)*)$")
_HASH = re.compile(r"-[0-9a-f]{8}(?=\.so)")
"""What auditwheel puts into the names of libraries that it copies into a wheel."""
_COMPAT = re.compile(r"/(cuda[^/]*/compat|cuda-compat)/")
_STUBBED = frozenset({"libcuda.so", "libnvidia-ml.so", "libcuda.so.1", "libnvidia-ml.so.1"})
_DRIVER_PARTS = frozenset({"driver", "libcuda"})


class Read(NamedTuple):
    """What was read of an entry: ``soname`` is None where it is not ELF, ``noted``: NVIDIA's compat note is in it."""

    mode: int
    bytes: int
    target: str = ""
    dangling: bool = False
    soname: str | None = None
    noted: bool = False


class Piece(Model, frozen=True, kw_only=True):
    """A piece of the stack. ``part`` is a key of ``boundary.PARTS``; ``target`` the text of a link."""

    part: str
    path: str
    kind: Kind
    whose: Owner
    bytes: int = 0
    version: str = ""
    target: str = ""


def part_by_name(path: str) -> str:
    """The part that a path belongs to by its name, empty where there is none."""
    folder, _, name = path.rpartition("/")
    if name.startswith("libnvidia-container"):
        return "bridge"  # the toolkit's own library; its name alone is like the driver's
    plain = _HASH.sub("", name)
    for key, pattern in _patterns():
        if pattern.match(plain):
            # Elsewhere such a name is a configuration file or a folder of documents.
            return key if key != "gpu" or folder in {"/dev", "/dev/nvidia-caps"} else ""
    return "driver" if _DRIVER_VERSION.search(name) else ""


def part_by_content(soname: str) -> str:
    """The part that a library belongs to by the name that it has for itself."""
    return part_by_name(soname) if soname else ""


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    # The names of libcuda and nvidia-smi are told apart from those of the driver's rest by their order in PARTS.
    return tuple((part.key, re.compile("|".join(map(fnmatch.translate, part.files)))) for part in PARTS if part.files)


def may_be_library(path: str, mode: int) -> bool:
    """Whether a file that no pattern knows may still be a library under another name."""
    return ".so" in path.rpartition("/")[2] or (bool(mode & 0o111) and "." not in path.rpartition("/")[2][1:])


def piece(path: str, read: Read, whose: Owner) -> Piece | None:
    """The piece that stands at a path; None where it is none."""
    part = part_by_name(path) or part_by_content(read.soname or "")
    if not part or not _counts(path, part, read):
        return None
    kind = _kind(path, part, read)
    version = _VERSION.search(path) if kind != "node" else None
    return Piece(
        part=part,
        path=path,
        kind=kind,
        whose=whose,
        bytes=read.bytes if stat.S_ISREG(read.mode) else 0,
        version=version[1] if version and not stat.S_ISLNK(read.mode) else "",
        target=read.target,
    )


def _counts(path: str, part: str, read: Read) -> bool:
    """Whether a name stands for the thing itself: programs are executable, nodes are nodes, the rest are files."""
    if stat.S_ISLNK(read.mode):
        return part != "gpu"
    if part == "gpu" and not stat.S_ISREG(read.mode):
        return stat.S_ISCHR(read.mode)
    if not stat.S_ISREG(read.mode):
        return False
    is_program = ".so" not in path and ".ko" not in path and part != "gpu"
    return not is_program or not read.bytes or bool(read.mode & 0o111)


def _kind(path: str, part: str, read: Read) -> Kind:
    if stat.S_ISCHR(read.mode):
        return "node"
    if stat.S_ISLNK(read.mode):
        return "leftover" if read.dangling else "link"
    if not read.bytes:
        return "leftover"
    if ".so" not in path.rpartition("/")[2]:
        return "file" if read.soname is None or part not in _DRIVER_PARTS else _library(path, read)
    return "other" if read.soname is None else _library(path, read)


def _library(path: str, read: Read) -> Kind:
    name = path.rpartition("/")[2]
    if _COMPAT.search(path) or read.noted:
        return "compat"
    is_small = name in {"libcuda.so", "libnvidia-ml.so"} and read.soname in _STUBBED and read.bytes < STUB_BYTES
    return "stub" if "/stubs/" in path or is_small else "file"


def is_wrong(found: Piece, owner: Owner) -> bool:
    """Whether a piece stands on the wrong side of the boundary, its part being ``owner``'s.

    A stub and the compatibility package are the image's by right. What is left of a mount is nobody's, and does harm:
    a later container cannot be started over it, or loads it. A link that gives a stub the name that the loader looks
    for makes every CUDA program find the stub.
    """
    if found.kind in {"stub", "compat", "other"}:
        return False
    if found.kind == "leftover":
        return True
    if found.kind == "link":
        return ".so." in found.path and "/stubs/" not in found.path and "stubs" in found.target.split("/")
    return found.whose != ("host" if owner == "bridge" else owner)
