"""Hosts for tests: trees made in a folder, from a recorded listing (tests/golden) or from a few lines of the test.

Device nodes need no rights here: ``RecordedHost`` answers for those that a listing names. ``make_nodes`` makes real
ones.
"""

import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from linkspan.facts import nvml, snapshot
from linkspan.facts.host import LiveHost, Search, Status, Survey
from linkspan.facts.model import HostFacts
from linkspan.formats import ldcache
from linkspan.sim.elfwriter import EM_386, EM_X86_64, shared_object

GOLDEN = os.path.join(os.path.dirname(__file__), "golden")
LIBRARIES = "/usr/lib/x86_64-linux-gnu"

Tree = Mapping[str, str | bytes]
"""Path to content; a text that begins with ``->`` is a symlink to what follows."""


class RecordedHost(LiveHost):
    """A tree whose device nodes, kernel and machine are told."""

    def __init__(self, root: str, nodes: Mapping[str, Status] | None = None, machine: str = "x86_64") -> None:
        super().__init__(root)
        self.nodes = dict(nodes or {})
        self.machine = machine

    def real(self, path: str) -> str | None:
        return path if path in self.nodes else super().real(path)

    def status(self, path: str) -> Status | None:
        return self.nodes.get(path) or super().status(path)

    def names(self, folder: str) -> list[str]:
        recorded = (path.rpartition("/")[2] for path in self.nodes if path.rpartition("/")[0] == folder)
        return sorted({*super().names(folder), *recorded})

    def uname(self) -> tuple[str, str]:
        return "6.1.0-test", self.machine


def make(root: object, tree: Tree) -> str:
    """Write a tree below a folder; its path."""
    for path, content in tree.items():
        place = f"{root}{path}"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if isinstance(content, str) and content.startswith("->"):
            os.symlink(content.removeprefix("->").strip(), place)
        else:
            with open(place, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
    return str(root)


def library(soname: str, bits: int = 64) -> bytes:
    """A minimal ELF file that carries a SONAME."""
    return shared_object(soname, EM_X86_64 if bits == 64 else EM_386)


def driver(version: str, folder: str = LIBRARIES, bits: int = 64) -> dict[str, str | bytes]:
    """The two libraries that make a driver, with their links."""
    tree: dict[str, str | bytes] = {}
    for stem in ("libcuda", "libnvidia-ml"):
        tree[f"{folder}/{stem}.so.{version}"] = library(f"{stem}.so.1", bits)
        tree[f"{folder}/{stem}.so.1"] = f"-> {stem}.so.{version}"
    return tree


def char(major: int, minor: int, mode: int = 0o666, gid: int = 0) -> Status:
    """A character device."""
    return Status("char", major, minor, mode, gid=gid)


def look(
    root: object,
    nodes: Mapping[str, Status] | None = None,
    *,
    ask: Callable[[str], nvml.Report] = lambda _: nvml.Report(errors=("not in this test",)),
    search: Search | None = None,
    machine: str = "x86_64",
) -> HostFacts:
    """The facts of a tree that stands for all of a host: driver root, device root, /proc and /sys."""
    host = RecordedHost(str(root), nodes, machine)
    return snapshot.look(Survey(search or Search(root=str(root)), host, host, host), ask)


def listing(name: str = "h100x8-550") -> list[dict[str, Any]]:
    """A recorded host's files, links and nodes."""
    with open(f"{GOLDEN}/{name}/host.json", encoding="utf-8") as file:
        entries: list[dict[str, Any]] = json.load(file)
    return entries


def report(name: str = "h100x8-550") -> nvml.Report:
    """What a recorded host's NVML said."""
    with open(f"{GOLDEN}/{name}/nvml.json", "rb") as file:
        return msgspec.json.decode(file.read(), type=nvml.Report)


def make_listed(root: object, entries: Iterable[Mapping[str, Any]]) -> str:
    """Write the files and links of a listing below a folder, with an ld.so.cache that names its libraries."""
    tree: dict[str, str | bytes] = {}
    cached = []
    for entry in entries:
        path = entry["path"]
        if entry["type"] == "symlink":
            tree[path] = f"-> {entry['target']}"
        elif entry["type"] == "file":
            soname = entry.get("soname", "")
            tree[path] = library(soname) if soname else path
            if soname:
                cached.append((soname, f"{os.path.dirname(path)}/{soname}", ldcache.flags_for(EM_X86_64, 64), 0, 0))
    if "/etc/ld.so.cache" in tree:
        tree["/etc/ld.so.cache"] = ldcache.render(cached)
    return make(root, tree)


def listed_nodes(entries: Iterable[Mapping[str, Any]]) -> dict[str, Status]:
    """The device nodes of a listing."""
    return {
        entry["path"]: char(entry["major"], entry["minor"], int(entry["mode"], 8))
        for entry in entries
        if entry["type"] == "char"
    }


def make_nodes(root: object, nodes: Mapping[str, Status]) -> None:
    """Make real device nodes; PermissionError where that is not allowed."""
    for path, node in nodes.items():
        os.makedirs(os.path.dirname(f"{root}{path}"), exist_ok=True)
        os.mknod(f"{root}{path}", stat.S_IFCHR | node.mode, os.makedev(node.major, node.minor))
        os.chmod(f"{root}{path}", node.mode)


def golden(root: object, name: str = "h100x8-550") -> HostFacts:
    """The facts of a recorded host, rebuilt below a folder."""
    entries = listing(name)
    make_listed(root, entries)
    recorded = report(name)
    return look(root, listed_nodes(entries), ask=lambda _: recorded)
