"""What was carried across into a running container, from where on the host, and by whom."""

import fnmatch
import posixpath
from collections.abc import Iterable, Sequence
from typing import Any

from linkspan.check import boundary
from linkspan.check.containers import Container
from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.model import Model
from linkspan.formats import procfs
from linkspan.formats.procfs import MountPoint

_HOSTS = tuple(part for part in boundary.PARTS if part.owner == "host" and part.key != "gpu")
_SPECIAL = ("/proc/driver/nvidia", "/dev/nvidia", "/dev/dxg", "/dev/dri", "/run/nvidia-", "/usr/lib/wsl")


class Carried(Model, frozen=True, kw_only=True):
    """A mount of something of the driver's: where the container sees it, and where the host keeps it.

    ``declared`` tells that config.json names it; what it does not name came by a hook.
    """

    path: str
    host_path: str
    part: str
    declared: bool


class Given(Model, frozen=True, kw_only=True):
    """A device node in the container."""

    path: str
    major: int
    minor: int
    mode: int
    declared: bool


def mounts(scene: Scene, container: Container, config: dict[str, Any]) -> tuple[Carried, ...]:
    """The driver's files that are mounted in a container."""
    host = _host_mounts(scene)
    named = {str(mount.get("destination", "")).rstrip("/") for mount in _list(config, "mounts")}
    return tuple(
        Carried(
            path=mount.path, host_path=host_path(mount, host), part=part, declared=not config or mount.path in named
        )
        for mount in container.mounts
        if (part := _part(mount.path))
    )


def _part(path: str) -> str:
    """The part of the boundary's table that a mounted path belongs to, empty for what is none of the driver's."""
    if path.startswith("/dev/") or any(path.startswith(special) for special in _SPECIAL):
        return "gpu" if path.startswith(_SPECIAL) else ""
    name = posixpath.basename(path)
    found = (part.key for part in _HOSTS for pattern in part.files if fnmatch.fnmatchcase(name, pattern))
    return next(found, "driver" if "nvidia" in name else "")


def _host_mounts(scene: Scene) -> tuple[MountPoint, ...]:
    try:
        return tuple(procfs.mountinfo(scene.eyes.text("/proc/1/mountinfo") or ""))
    except FormatError:
        return ()


def host_path(mount: MountPoint, host: Sequence[MountPoint]) -> str:
    """Where the host sees what is mounted: below its own mount of that file system, the one that fits best."""
    fitting = [one for one in host if one.device == mount.device and _is_below(mount.root, one.root)]
    if not fitting:
        return mount.root
    best = max(fitting, key=lambda one: len(one.root))
    return posixpath.normpath(f"{best.path}/{mount.root[len(best.root.rstrip('/')) :]}")


def _is_below(path: str, folder: str) -> bool:
    return folder in ("/", path) or path.startswith(f"{folder}/")


def nodes(container: Container, config: dict[str, Any]) -> tuple[Given, ...]:
    """The device nodes of the GPU stack that stand in a container's /dev."""
    named = {str(node.get("path", "")) for node in _list(config.get("linux"), "devices")}
    places = [f"/dev/{name}" for name in container.root.names("/dev") if name.startswith(("nvidia", "dxg"))]
    places += [f"/dev/nvidia-caps/{name}" for name in container.root.names("/dev/nvidia-caps")]
    places += [f"/dev/dri/{name}" for name in container.root.names("/dev/dri")]
    found = ((path, container.root.status(path)) for path in places)
    return tuple(
        Given(path=path, major=one.major, minor=one.minor, mode=one.mode, declared=path in named)
        for path, one in found
        if one and one.kind == "char"
    )


def by_whom(config: dict[str, Any], carried: Iterable[Carried], given: Iterable[Given]) -> tuple[str, str]:
    """Who carried it across, and the program or spec that shows it; both empty where nothing was."""
    everything = [one.declared for one in carried] + [one.declared for one in given]
    hooks = [(stage, str(hook.get("path", ""))) for stage, hook in _hooks(config)]
    prestart = next((path for stage, path in hooks if stage == "prestart" and _is_prestart(path)), "")
    if not everything:
        return ("a hook that ran, and carried nothing" if prestart else "", prestart)
    if prestart and not all(everything):
        return "the prestart hook of --gpus", prestart
    ours = next((path for _, path in hooks if "linkspan-hook" in path), "")
    theirs = next((path for _, path in hooks if posixpath.basename(path) in ("nvidia-cdi-hook", "nvidia-ctk")), "")
    if ours or theirs:
        return "a CDI spec, or the runtime wrapper", ours or theirs
    if any(everything) and config:
        return "the runtime, before the start: no hook was needed", ""
    return "somebody whose hand config.json does not show", ""


def _is_prestart(path: str) -> bool:
    name = posixpath.basename(path)
    return name.startswith(("nvidia-container-runtime-hook", "nvidia-container-toolkit", "linkspan-prestart-hook"))


def _hooks(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    hooks = config.get("hooks")
    stages = hooks.items() if isinstance(hooks, dict) else ()
    return [(str(stage), hook) for stage, some in stages for hook in some or () if isinstance(hook, dict)]


def _list(document: Any, key: str) -> list[dict[str, Any]]:
    found = document.get(key) if isinstance(document, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
