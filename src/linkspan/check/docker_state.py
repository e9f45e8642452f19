"""What Docker's daemon itself keeps of its containers: how they were asked for, and why the last start failed.

``config.v2.json`` and ``hostconfig.json`` in a folder for each container below the data root. They hold every variable
of a container, so only what rules may see is taken out of them, and only that is remembered.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from linkspan.check.daemons import Engine
from linkspan.check.eyes import Eyes
from linkspan.check.processes import WITH_VALUE, Processes
from linkspan.facts.host import TEXT_LIMIT, HostReader
from linkspan.facts.model import Model

MOST = 500
"""How many containers of an engine are looked at."""
_LABELS = "com.docker.compose.project"
_MOST_MOUNTS = 200
_SNAP_ROOT = "/var/snap/docker/common/var-lib-docker"


class DeviceRequest(Model, frozen=True, kw_only=True):
    """An entry of ``HostConfig.DeviceRequests``: what ``--gpus`` and ``--device`` of a CDI name become."""

    driver: str = ""
    count: int = 0
    ids: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


class Record(Model, frozen=True, kw_only=True):
    """A container as its daemon keeps it.

    ``error`` is why its last start failed, empty where it did not. ``env`` are the variables that rules may see, of
    image and command line together. ``mounts`` are its volumes and folders of the host, by their place in it, and
    ``read_only`` says that its root is. ``changed`` is when the file was last written, in seconds since 1970.
    """

    id: str
    path: str
    name: str = ""
    image: str = ""
    error: str = ""
    running: bool = False
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    argv: tuple[str, ...] = ()
    runtime: str = ""
    privileged: bool = False
    requests: tuple[DeviceRequest, ...] = ()
    device_rules: tuple[str, ...] = ()
    mounts: dict[str, str] = {}
    read_only: bool = False
    changed: float = 0.0

    @property
    def title(self) -> str:
        """How findings call it."""
        return f"container {self.name.lstrip('/') or self.id[:12]}"

    @property
    def asked(self) -> str:
        """The file that says how it was asked for."""
        return f"{posixpath.dirname(self.path)}/hostconfig.json"

    @property
    def wants_gpus(self) -> bool:
        """True where the command line or the image asks for GPUs."""
        by_variable = self.env.get("NVIDIA_VISIBLE_DEVICES", "void") not in ("", "void", "none")
        return by_variable or any("gpu" in one.capabilities or one.driver in ("nvidia", "cdi") for one in self.requests)


def in_container(path: str) -> str:
    """A path of the error texts as the container sees it: below ``merged`` of a layer, or below its ``rootfs``."""
    found = re.search(r"/(?:merged|rootfs(?:/overlayfs/[0-9a-f]{64})?)(/.+)$", path)
    return found[1] if found else path


def data_root(engine: Engine, processes: Processes) -> str:
    """Where a dockerd keeps its containers."""
    for word, after in zip(*_words(engine), strict=False):
        if word in ("--data-root", "-g", "--graph"):
            return after
        if word.startswith(("--data-root=", "--graph=")):
            return word.partition("=")[2]
    named = engine.tree.get("data-root") or engine.tree.get("graph")
    if isinstance(named, str) and named:
        return named
    if engine.snap:
        return _SNAP_ROOT
    if engine.rootless and engine.process:
        env = processes.environ(engine.process.pid)
        return f"{env.get('XDG_DATA_HOME') or env.get('HOME', '') + '/.local/share'}/docker"
    return "/var/lib/docker"


def _words(engine: Engine) -> tuple[tuple[str, ...], tuple[str, ...]]:
    argv = engine.process.argv if engine.process else ()
    return argv, (*argv[1:], "")


def records(eyes: Eyes, engine: Engine, processes: Processes) -> Iterator[Record]:
    """The containers that one dockerd keeps, in the order of their ids."""
    folder = posixpath.join(data_root(engine, processes), "containers")
    for name in eyes.names(folder)[:MOST]:
        path = f"{folder}/{name}/config.v2.json"
        status = eyes.status(path)
        if status is None or status.kind != "file":
            continue
        nothing: dict[str, Any] = {}
        plain = eyes.derive("docker container", path, _plain, nothing)
        if plain:
            yield msgspec.convert({**plain, "id": name, "path": path, "changed": status.mtime_ns / 1e9}, Record)


def _plain(host: HostReader, path: str) -> dict[str, Any]:
    config = _document(host, path)
    asked = _document(host, f"{posixpath.dirname(path)}/hostconfig.json")
    state, inner, points = (_table(config, key) for key in ("State", "Config", "MountPoints"))
    pairs = (str(item).partition("=") for item in _list(inner, "Env"))
    labels = {key: str(value) for key, value in _table(inner, "Labels").items() if key.startswith(_LABELS)}
    return {
        "name": _text(config, "Name"),
        "image": _text(inner, "Image"),
        "error": _text(state, "Error")[:8192],
        "running": state.get("Running") is True,
        "env": {name: value for name, _, value in pairs if name.startswith(WITH_VALUE)},
        "labels": labels,
        "argv": [_text(config, "Path"), *map(str, _list(config, "Args")[:32])],
        "runtime": _text(asked, "Runtime"),
        "privileged": asked.get("Privileged") is True,
        "requests": [_request(item) for item in _list(asked, "DeviceRequests") if isinstance(item, dict)],
        "mounts": {place: _text(_table(points, place), "Source") for place in list(points)[:_MOST_MOUNTS]},
        "read_only": asked.get("ReadonlyRootfs") is True,
        "device_rules": [str(item) for item in _list(asked, "DeviceCgroupRules")],
    }


def _request(item: dict[str, Any]) -> dict[str, Any]:
    groups = [group for group in _list(item, "Capabilities") if isinstance(group, list)]
    count = item.get("Count")
    return {
        "driver": _text(item, "Driver"),
        "count": count if isinstance(count, int) else 0,
        "ids": [str(one) for one in _list(item, "DeviceIDs")],
        "capabilities": [str(name) for group in groups for name in group],
    }


def _document(host: HostReader, path: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(host.read(path, 0, TEXT_LIMIT) or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _list(document: dict[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    return found if isinstance(found, list) else []


def _text(document: dict[str, Any], key: str) -> str:
    found = document.get(key)
    return found if isinstance(found, str) else ""
