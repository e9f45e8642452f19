"""A simulated host laid over the files of a real driver: they are kept, but for NVML."""

import contextlib
import os
import posixpath
import shutil

import msgspec

from linkspan.errors import RequestError
from linkspan.formats import versions
from linkspan.sim.spec import SimSpec
from linkspan.sim.tree import Link, Tree, inside

SAVED = "/.linkspan-sim.saved"
"""Where the replaced files wait, each under its own path."""
DEBIAN_PROGRAMS = "/usr/lib/nvidia/current"
"""Where Debian's packages keep programs; links in /usr/bin come from update-alternatives, after unpacking."""


def with_version(root: str, spec: SimSpec) -> SimSpec:
    """The spec with the version of the driver whose files are below the root; RequestError where it is not one."""
    found = sorted({posixpath.basename(path).partition(".so.")[2] for path in _nvml_files(root)})
    if spec.driver and spec.driver not in found:
        there = ", ".join(found) or "none"
        raise RequestError(f"no libnvidia-ml.so.{spec.driver} below {root}", hint=f"versions there: {there}")
    if not spec.driver and len(found) != 1:
        what = f"those of {', '.join(found)}" if found else "none"
        raise RequestError(f"{root} has to hold the files of one driver, and holds {what}", hint="name it: --driver")
    return msgspec.structs.replace(spec, driver=spec.driver or found[0])


def nvml_files(root: str, version: str) -> tuple[str, ...]:
    """The paths below the root of that version's libnvidia-ml, 64-bit."""
    return tuple(path for path in _nvml_files(root) if path.endswith(f".so.{version}"))


def _nvml_files(root: str) -> list[str]:
    return sorted(
        folder.removeprefix(root) + "/" + name
        for folder, _, names in os.walk(root)
        for name in names
        if name.startswith("libnvidia-ml.so.") and len(versions.parse(name.partition(".so.")[2]) or ()) > 1
        if _is_64_bit(f"{folder}/{name}")
    )


def _is_64_bit(path: str) -> bool:
    if os.path.islink(path):
        return False
    with open(path, "rb") as file:
        return file.read(5) == b"\x7fELF\x02"


def program_links(root: str) -> Tree:
    """The links to Debian's programs that installing the packages, in place of unpacking them, would have made."""
    folder = root + DEBIAN_PROGRAMS
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    programs = [name for name in names if os.access(f"{folder}/{name}", os.X_OK)]
    return {f"/usr/bin/{name}": Link(f"{DEBIAN_PROGRAMS}/{name}") for name in programs}


def free(root: str, tree: Tree) -> tuple[str, ...]:
    """The paths of the tree at which nothing stands yet, with the folders above them, in the order of making them."""
    wanted: dict[str, None] = {}
    for path in tree:
        parts = path.split("/")[1:]
        wanted |= dict.fromkeys("/" + "/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return tuple(path for path in wanted if not os.path.lexists(root + path))


def save(root: str, paths: tuple[str, ...]) -> None:
    """Put files that are about to be replaced aside."""
    for path in paths:
        place = root + SAVED + path
        os.makedirs(posixpath.dirname(place), exist_ok=True)
        os.rename(inside(root, path), place)


def take_off(root: str, made: tuple[str, ...], saved: tuple[str, ...]) -> None:
    """Take away what was made, and put what was saved back. Folders that others have used since stay."""
    for path in reversed(made):
        place = inside(root, path)
        if os.path.isdir(place) and not os.path.islink(place):
            with contextlib.suppress(OSError):
                os.rmdir(place)
        elif os.path.lexists(place):
            os.unlink(place)
    for path in saved:
        kept = inside(root, SAVED + path)
        if os.path.lexists(kept):
            os.replace(kept, inside(root, path))
    shutil.rmtree(root + SAVED, ignore_errors=True)
