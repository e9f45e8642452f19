"""The compose files of the projects on a host, as far as they ask for GPUs, runtimes and builds.

The label ``com.docker.compose.project.config_files`` of a container names the files that it was made from.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from linkspan.check.scene import Scene
from linkspan.facts.host import HostReader
from linkspan.facts.model import Model
from linkspan.formats import cdi_reader

FILES = "com.docker.compose.project.config_files"
FOLDER = "com.docker.compose.project.working_dir"
_MOST_FILES = 50
_LIMIT, _BUDGET = 64 << 10, 128 << 10
"""Bytes of a file, and of all of them: YAML takes some seven seconds for a megabyte."""
_ABOUT_GPUS = re.compile(rb"nvidia|cuda|gpu", re.IGNORECASE)
"""A file without any of these words is not worth being parsed."""


class Device(Model, frozen=True, kw_only=True):
    """An entry of ``deploy.resources.reservations.devices``: which keys it has, and the values that matter."""

    keys: tuple[str, ...] = ()
    driver: str = ""
    capabilities: tuple[str, ...] | None = None


class Service(Model, frozen=True, kw_only=True):
    """A service of a compose file: its device reservations, and the Dockerfile that it is built from, if one is named.

    ``is_list`` says whether the reservations are the list that they have to be.
    """

    file: str
    name: str
    devices: tuple[Device, ...] = ()
    is_list: bool = True
    dockerfile: str = ""


def services(scene: Scene) -> Iterator[Service]:
    """The services of all compose files that containers of this host name."""
    paths: dict[str, None] = {}
    for record in scene.docker_records:
        folder = record.labels.get(FOLDER, "/")
        for path in record.labels.get(FILES, "").split(","):
            if path:
                paths[posixpath.join(folder, path)] = None
    left = _BUDGET
    for path in list(paths)[:_MOST_FILES]:
        size = scene.eyes.size(path)
        if size > min(_LIMIT, left):
            continue
        none: list[dict[str, Any]] = []
        found = scene.eyes.derive("compose", path, _read, none)
        left -= size if found else 0
        yield from (msgspec.convert({**one, "file": path}, Service) for one in found)


def _read(host: HostReader, path: str) -> list[dict[str, Any]]:
    data = host.read(path, 0, _LIMIT) or b""
    document = cdi_reader.read(data).document if _ABOUT_GPUS.search(data) else None
    listed = document.get("services") if isinstance(document, dict) else None
    named = listed.items() if isinstance(listed, dict) else ()
    folder = posixpath.dirname(path)
    return [_service(str(name), one, folder) for name, one in named if isinstance(one, dict)]


def _service(name: str, one: dict[str, Any], folder: str) -> dict[str, Any]:
    devices: Any = one
    for key in ("deploy", "resources", "reservations", "devices"):
        devices = devices.get(key) if isinstance(devices, dict) else None
    is_list = isinstance(devices, list)
    listed = devices if isinstance(devices, list) else [devices] if devices else []
    return {
        "name": name,
        "is_list": is_list or not devices,
        "devices": [_device(item) for item in listed if isinstance(item, dict)],
        "dockerfile": _dockerfile(one.get("build"), folder),
    }


def _device(item: dict[str, Any]) -> dict[str, Any]:
    named = item.get("capabilities")
    return {
        "keys": [str(key) for key in item],
        "driver": str(item.get("driver") or ""),
        "capabilities": _words(named) if named is not None else None,
    }


def _words(named: Any) -> list[str]:
    """Capabilities are a list; compose takes a list of lists as well."""
    items = named if isinstance(named, list) else [named]
    return [str(word) for item in items for word in (item if isinstance(item, list) else [item])]


def _dockerfile(build: Any, folder: str) -> str:
    if isinstance(build, str):
        return posixpath.normpath(posixpath.join(folder, build, "Dockerfile"))
    if not isinstance(build, dict) or not isinstance(build.get("context", "."), str):
        return ""
    context = posixpath.join(folder, build.get("context", "."))
    return posixpath.normpath(posixpath.join(context, str(build.get("dockerfile") or "Dockerfile")))
