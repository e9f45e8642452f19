"""Roots with Debian packages and all that they depend on, as apt would leave them before any maintainer script ran."""

import os
import subprocess
import tempfile

from tests import debian
from tests.unit.image import writer
from tests.unit.image.writer import Item

SECTIONS = ("main", "contrib", "non-free", "non-free-firmware")
MERGED = ("bin", "sbin", "lib", "lib64")
DPKG = "var/lib/dpkg"
Tree = dict[str, str | bytes | Item]


def installed(suite: str, *packages: str) -> str:
    """The cached root with the packages, what they depend on, and dpkg's database of them."""

    def build(folder: str) -> None:
        for name in MERGED:  # before Debian 13 it is a maintainer script that makes these links
            os.makedirs(f"{folder}/usr/{name}")
            os.symlink(f"usr/{name}", f"{folder}/{name}")
        os.makedirs(f"{folder}/{DPKG}/info")
        with tempfile.TemporaryDirectory(prefix="linkspan-debs-") as debs:
            with debian.archive(suite, *SECTIONS) as archive:
                archive.fetch_with_dependencies(packages, debs)
            for name in sorted(os.listdir(debs)):
                _install(f"{debs}/{name}", folder)

    return debian.cached(f"image-{suite}-{packages[0]}", (packages, 3), build)


def _install(deb: str, folder: str) -> None:
    _run("sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -xp --keep-directory-symlink -C "$2"', "sh", deb, folder)
    name, _, rest = _run("dpkg-deb", "-f", deb).partition("\n")
    with open(f"{folder}/{DPKG}/status", "a", encoding="utf-8") as status:
        status.write(f"{name}\nStatus: install ok installed\n{rest.strip()}\n\n")
    paths = (line.removeprefix(".") for line in _run("sh", "-c", _LIST, "sh", deb).splitlines())
    with open(f"{folder}/{DPKG}/info/{name.removeprefix('Package: ')}.list", "w", encoding="utf-8") as listing:
        listing.writelines(f"{path.rstrip('/') or '/.'}\n" for path in paths)


_LIST = 'dpkg-deb --fsys-tarfile "$1" | tar -t'


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise debian.UnavailableError(f"{argv[0]} failed on this machine: {done.stderr.strip()[-200:]}")
    return done.stdout


def tree(root: str) -> Tree:
    """A folder as the tree of a layer, without documentation."""
    found: Tree = {}
    for folder, folders, names in os.walk(root):
        for name in (*names, *(one for one in folders if os.path.islink(f"{folder}/{one}"))):
            path = f"{folder}/{name}"
            inside = os.path.relpath(path, root)
            if os.path.islink(path):
                found[inside] = writer.link(os.readlink(path))
            elif os.path.isfile(path) and "/doc/" not in inside:
                with open(path, "rb") as file:
                    found[inside] = writer.file(file.read(), os.stat(path).st_mode & 0o777)
    return found
