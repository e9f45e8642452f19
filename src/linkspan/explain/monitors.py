"""Containers by the processes that watch over them: containerd's shims, and conmon of Podman and CRI-O.

Their command lines and working folders tell of every container its id and its bundle, wherever an engine keeps its
state, and without a question to the engine. What they name is read in their own mount namespace.
"""

import posixpath
from collections.abc import Iterator

import msgspec

from linkspan.check.eyes import Eyes
from linkspan.check.processes import Process
from linkspan.check.scene import Scene


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """A container that somebody watches over: ``pid`` is its first process, 0 where that has ended."""

    id: str
    name: str
    engine: str
    bundle: str
    monitor: int
    pid: int


def monitored(scene: Scene) -> Iterator[Monitored]:
    """All containers of this host that have a monitor."""
    for one in scene.processes.all.values():
        if one.name.startswith("containerd-shim"):
            yield from _of_shim(scene, one)
        elif one.name == "conmon":
            yield from _of_conmon(scene, one)


def sight(scene: Scene, container: Monitored) -> Eyes:
    """Where a container's monitor sees its bundle."""
    return scene.eyes.below(f"/proc/{container.monitor}/root")


def _option(one: Process, name: str) -> str:
    for word, after in zip(one.argv, (*one.argv[1:], ""), strict=True):
        if word == name:
            return after
    return ""


def _of_shim(scene: Scene, one: Process) -> Iterator[Monitored]:
    """A shim stands in the bundle of the container that it was started for; those of its pod lie beside that."""
    bundle = scene.eyes.link(f"/proc/{one.pid}/cwd") or ""
    namespace, beside = _option(one, "-namespace"), posixpath.dirname(bundle)
    engine = "docker" if namespace == "moby" else "containerd"
    inside = scene.eyes.below(f"/proc/{one.pid}/root")
    others = inside.names(beside) if bundle.startswith("/") else []
    for name in dict.fromkeys([_option(one, "-id"), *others]):
        pid = _first(scene, one, name)
        if name and (pid or name == _option(one, "-id")):
            place = posixpath.join(beside, name)
            yield Monitored(id=name, name="", engine=engine, bundle=place, monitor=one.pid, pid=pid)


def _of_conmon(scene: Scene, one: Process) -> Iterator[Monitored]:
    found, name, bundle = _option(one, "-c"), _option(one, "-n"), _option(one, "-b")
    if found and bundle:
        engine = "crio" if name.startswith("k8s_") or "crio" in bundle else "podman"
        pid = _first(scene, one, found)
        yield Monitored(id=found, name=name, engine=engine, bundle=bundle, monitor=one.pid, pid=pid)


def _first(scene: Scene, monitor: Process, found: str) -> int:
    """The container's first process: a child of its monitor in the cgroup that has its id."""
    children = [one for one in scene.processes.all.values() if one.parent == monitor.pid]
    return next((one.pid for one in children if found and found in scene.processes.cgroup(one.pid)), 0)
