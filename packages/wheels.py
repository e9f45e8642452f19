"""The Python packages that linkspan runs with, as requirements.lock pins them, for every Python that is supported.

Where a package has a part in C there is a wheel for each version of Python. They differ in that part alone, whose file
names it, so all of them fit into one folder, and one package of ours serves them all.
"""

import glob
import hashlib
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packages import program

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PYTHON_END = "3.15"
"""The first version that there is no wheel for."""

# manylinux2014, so that every distribution with such a Python has a C library that is new enough.
PLATFORMS = tuple(f"{name}_{platform.machine()}" for name in ("manylinux_2_17", "manylinux2014"))
DROPPED = re.compile(r"\.data/|\.dist-info/(RECORD$|WHEEL$|sboms/)")
"""What only an installer reads, and what differs between wheels of one version."""


def fetch(lock: str, house: str) -> list[str]:
    """The wheels of all that linkspan runs with, by the hashes of the lock file, from ``house`` or put there."""
    with open(lock, encoding="ascii") as file:
        pinned = _statements(file.read())
    wanted = "".join(pinned[name] for name in sorted(needed()))
    folder = f"{house}/{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not os.path.isdir(folder):
        _fill(folder, wanted)
    return glob.glob(f"{folder}/*.whl")


def _fill(folder: str, wanted: str) -> None:
    """All or nothing: what is there, is whole."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        with open(f"{scratch}/requirements.txt", "w", encoding="ascii") as file:
            file.write(wanted)
        os.mkdir(f"{scratch}/wheels")
        for python in PYTHONS:
            _download(f"{scratch}/requirements.txt", python, f"{scratch}/wheels")
        try:
            os.rename(f"{scratch}/wheels", folder)
        except OSError:
            if not os.path.isdir(folder):  # another build was faster, with the very same files
                raise


def needed(package: str = "linkspan") -> set[str]:
    """All that a package of this environment needs, and what that needs, under any of the supported Pythons."""
    found: set[str] = set()
    queue = [package]
    while queue:
        new = {canonicalize_name(name) for name in _requirements(queue.pop())} - found
        found |= new
        queue += sorted(new)
    return found


def _requirements(package: str) -> Iterator[str]:
    for line in importlib.metadata.requires(package) or []:
        requirement = Requirement(line)
        settings = [{"python_version": python, "extra": ""} for python in PYTHONS]
        if requirement.marker is None or any(map(requirement.marker.evaluate, settings)):
            yield requirement.name


def _statements(lock: str) -> dict[str, str]:
    """Package to its lines in the lock file."""
    return {match[1]: match[0] for match in re.finditer(r"^(\S+)==\S+ (?:\\\n\s+\S+ ?)+\n", lock, re.MULTILINE)}


def _download(requirements: str, python: str, folder: str) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    kind = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
    kind += [word for name in PLATFORMS for word in ("--platform", name)]
    program.run([*pip, *kind, "--require-hashes", "-d", folder, "-r", requirements])


def unpack(wheels: Iterable[str], folder: str) -> None:
    """Unpack wheels into one folder, where two of them may hold the same file only if it is the same in both."""
    for wheel in sorted(wheels):
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and not DROPPED.search(entry.filename):
                    _put(f"{folder}/{entry.filename}", archive.read(entry), bool(entry.external_attr >> 16 & 0o111))


def _put(path: str, data: bytes, executable: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read() != data:
                raise SystemExit(f"packages: two wheels have another {os.path.basename(path)} each")
        return
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755 if executable else 0o644)
