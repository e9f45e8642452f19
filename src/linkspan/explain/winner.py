"""Which file a program in a container gets for ``libcuda.so.1``: the loader's order, walked without running anything.

glibc looks into the folders of LD_LIBRARY_PATH, then into /etc/ld.so.cache, then into its built-in folders. A file of
another architecture is passed over; one that is too short for an ELF header ends the search with an error (ld.so(8),
open_verify in glibc's elf/dl-load.c). musl knows no cache: LD_LIBRARY_PATH, then the folders of /etc/ld-musl-ARCH.path
or, where that is not there, its defaults.
"""

import posixpath
from collections.abc import Iterator
from typing import Literal

import msgspec

from linkspan.check.eyes import Eyes
from linkspan.check.inside import version_of
from linkspan.errors import FormatError
from linkspan.facts.model import Model
from linkspan.formats import elf, ldcache, procfs
from linkspan.formats.elf import Elf

Kind = Literal["driver", "compat", "stub", "empty", "other"]
"""What a candidate is: the driver's own library, CUDA's compatibility one, a stub to link with, a leftover without
bytes, or something else."""

CACHE = "/etc/ld.so.cache"
CACHE_LIMIT = 16 << 20
_MULTIARCH = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
_MACHINES = {"x86_64": 62, "aarch64": 183}
_MUSL_DEFAULT = ("/lib", "/usr/local/lib", "/usr/lib")
_HEADER = 64
"""Bytes of an ELF header of 64 bits; glibc wants at least as much."""


class Candidate(Model, frozen=True, kw_only=True):
    """A file that the loader comes by: how it did, whose it is (``host`` or ``image``), and what becomes of it."""

    path: str
    real: str
    by: str
    kind: Kind
    owner: Literal["host", "image"]
    host_path: str = ""
    version: str = ""
    outcome: Literal["taken", "passed over", "fails", "never reached"] = "never reached"
    why: str = ""


class Loader:
    """The loader of one container's programs. ``mounts`` tell whose a file is."""

    def __init__(self, root: Eyes, library_path: str, mounts: tuple[procfs.MountPoint, ...], arch: str) -> None:
        self.root = root
        self.arch = arch
        self.mounts = mounts
        self.library_path = [part for part in library_path.replace(";", ":").split(":") if part]
        self.is_musl = root.exists(f"/lib/ld-musl-{arch}.so.1") and not self._has_glibc()

    def _has_glibc(self) -> bool:
        places = (f"/lib/{_MULTIARCH.get(self.arch, '')}/libc.so.6", "/lib64/libc.so.6", "/usr/lib64/libc.so.6")
        return any(self.root.exists(place) for place in (*places, "/usr/lib/libc.so.6"))

    def candidates(self, name: str) -> tuple[Candidate, ...]:
        """Every file that the loader may come by, in its order; at most one is taken, and it is the first of those."""
        found: list[Candidate] = []
        seen: set[str] = set()
        decided = False
        for path, by in self._places(name):
            candidate = self._look(path, by)
            if candidate is None or path in seen:
                continue
            seen.add(path)
            if decided:
                candidate = _never(candidate)
            decided = decided or candidate.outcome in ("taken", "fails")
            found.append(candidate)
        return tuple(found)

    def _places(self, name: str) -> Iterator[tuple[str, str]]:
        for folder in self.library_path:
            yield posixpath.join(folder, name), f"LD_LIBRARY_PATH has {folder}"
        if self.is_musl:
            yield from ((f"{folder}/{name}", f"musl looks into {folder}") for folder in self._musl_folders())
            return
        for path in self._cached(name):
            yield path, f"{CACHE} names it"
        for folder in self._built_in():
            yield f"{folder}/{name}", f"{folder} is one of the loader's own folders"

    def _cached(self, name: str) -> list[str]:
        try:
            entries = ldcache.parse(self.root.read(CACHE, 0, CACHE_LIMIT) or b"")
        except FormatError:
            return []
        # Of several for one name the loader takes the first that fits; ldconfig has put the best in front.
        return [path for entry, path, *_ in entries if entry == name]

    def _built_in(self) -> list[str]:
        triple = _MULTIARCH.get(self.arch, "")
        debian = [f"/lib/{triple}", f"/usr/lib/{triple}"] if triple and self.root.exists(f"/usr/lib/{triple}") else []
        return [*debian, "/lib64", "/usr/lib64", "/lib", "/usr/lib"]

    def _musl_folders(self) -> list[str]:
        text = self.root.text(f"/etc/ld-musl-{self.arch}.path")
        return text.replace("\n", ":").split(":") if text else list(_MUSL_DEFAULT)

    def _look(self, path: str, by: str) -> Candidate | None:
        real = self.root.real(path) if path.startswith("/") else None
        status = self.root.status(real) if real else None
        if real is None or status is None or status.kind != "file":
            return None
        size = self.root.size(real)
        mount = self._mount_of(real)
        is_hosts = mount is not None and mount.path != "/"
        outcome, why = self._outcome(real, size)
        return Candidate(
            path=path,
            real=real,
            by=by,
            kind=_kind(path, real, size, is_hosts=is_hosts),
            owner="host" if is_hosts else "image",
            host_path=f"{mount.root}{real[len(mount.path) :]}" if mount is not None and is_hosts else "",
            version=version_of(real),
            outcome=outcome,
            why=why,
        )

    def _outcome(self, real: str, size: int) -> tuple[Literal["taken", "passed over", "fails"], str]:
        if size < _HEADER:
            return "fails", "file too short: it holds no library"
        try:
            header = elf.read(lambda offset, length: self.root.read(real, offset, length) or b"", size)
        except FormatError:
            return "fails", "it is no ELF file"
        return ("taken", "") if self._fits(header) else ("passed over", "it is of another architecture")

    def _fits(self, header: Elf) -> bool:
        return header.bits == 64 and header.machine == _MACHINES.get(self.arch, header.machine)

    def _mount_of(self, real: str) -> procfs.MountPoint | None:
        """The mount that a path is on: the longest that leads to it, of several the last."""
        fitting = [one for one in self.mounts if one.path in ("/", real) or real.startswith(f"{one.path}/")]
        return max(reversed(fitting), key=lambda one: len(one.path), default=None)


def _never(candidate: Candidate) -> Candidate:
    return msgspec.structs.replace(candidate, outcome="never reached", why="")


def _kind(path: str, real: str, size: int, *, is_hosts: bool) -> Kind:
    if size == 0:
        return "empty"
    if "/compat/" in real or "/compat/" in path:
        return "compat"
    if "/stubs/" in real or "/stubs/" in path:
        return "stub"
    return "driver" if is_hosts or version_of(real) else "other"


def taken(candidates: tuple[Candidate, ...]) -> Candidate | None:
    """The one that the loader takes, or fails at; None where it finds none."""
    return next((one for one in candidates if one.outcome in ("taken", "fails")), None)
