"""What a person names when they ask about a container's files: a folder, a bundle, a process, or a container.

All of them end as a folder that is a root, with what is known of its mounts. A process is reached through
``/proc/PID/root``, whatever engine started it; the mounts are those of ``/proc/PID/mountinfo``.
"""

import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from typing import Any, NamedTuple

from linkspan.check.inventory import content
from linkspan.check.pieces import Piece, Read, part_by_name, piece
from linkspan.check.responsibilities import Subject
from linkspan.errors import FormatError, KernelError, LinkspanError, RequestError
from linkspan.formats import procfs
from linkspan.formats.procfs import MountPoint
from linkspan.kernel import process

ENGINES = ("docker", "podman", "nerdctl")
"""Asked in this order for the process of a container by its name."""
ENGINE_S = 5.0
CONFIG_LIMIT = 8 << 20
_ID = re.compile(r"[0-9a-f]{12,64}")


class Root(NamedTuple):
    """A root to be looked below.

    ``known`` are pieces that are not files below it: what a bundle says it will mount, and the program that is run.
    """

    path: str
    kind: Subject
    mounts: Mapping[str, MountPoint]
    known: tuple[Piece, ...] = ()


def find(name: str, proc: str = "/proc") -> Root:
    """The root that a name stands for: a folder, a bundle, a process number, a container's ID or name.

    Raises RequestError where it stands for nothing, KernelError where we may not look, FormatError where a bundle's
    config.json cannot be read.
    """
    if os.path.isdir(name):
        return _bundle(name) if os.path.isfile(f"{name}/config.json") else Root(name, "folder", {})
    return of_process(pid_of(name, proc), proc)


def pid_of(name: str, proc: str = "/proc") -> int:
    """The process of a running container: a number, a container's ID or its name. RequestError where there is none."""
    if name.isascii() and name.isdigit():
        return int(name)
    if "/" in name:
        raise RequestError(f"there is no folder {name}", subject=name)
    pid = _by_cgroup(name, proc) or _by_engine(name)
    if not pid:
        hint = "name a folder, a bundle, a process, or a running container's ID or name"
        raise RequestError(f"there is no running container {name}", hint=hint, subject=name)
    return pid


def of_process(pid: int, proc: str = "/proc") -> Root:
    """The root of a process, with its mounts by their path and the program that it runs."""
    place = f"{proc}/{pid}"
    if not os.path.isdir(place):
        raise RequestError(f"there is no process {pid}", subject=str(pid))
    try:
        with open(f"{place}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            mounts = {mount.path: mount for mount in procfs.mountinfo(file.read()) if mount.path != "/"}
        program = os.readlink(f"{place}/exe")
    except OSError as error:
        reason = error.strerror or str(error)
        raise KernelError(f"cannot look at process {pid}: {reason.lower()}", subject=str(pid)) from error
    return Root(f"{place}/root", "container", mounts, (_application(program),))


def _application(program: str) -> Piece:
    return Piece(part="application", path=program, kind="file", whose="image")


def _by_cgroup(name: str, proc: str) -> int:
    """The first process of the container with this ID, whose cgroup every engine names after it; 0 where none is."""
    if not _ID.fullmatch(name):
        return 0
    for entry in sorted((one for one in os.listdir(proc) if one.isdigit()), key=int):
        try:
            with open(f"{proc}/{entry}/cgroup", encoding="utf-8", errors="replace") as file:
                if name in file.read():
                    return int(entry)
        except OSError:
            continue  # it has ended
    return 0


def _by_engine(name: str) -> int:
    """The first process of the container with this name, as an engine knows it; 0 where none does."""
    for engine in ENGINES:
        program = shutil.which(engine)
        if program and not name.startswith("-"):
            pid = _asked(program, name)
            if pid:
                return pid
    return 0


def _asked(program: str, name: str) -> int:
    argv = (program, "inspect", "--type", "container", "--format", "{{.State.Pid}}", name)
    try:
        answer = process.run(argv, env=dict(os.environ), timeout_s=ENGINE_S, check=False)
    except LinkspanError:
        return 0  # an engine that does not answer knows no container
    text = answer.stdout.strip()
    return int(text) if answer.code == 0 and text.isascii() and text.isdigit() else 0


def _bundle(folder: str) -> Root:
    config = _config(f"{folder}/config.json")
    root = _dict(config.get("root")).get("path")
    path = os.path.join(folder, root) if isinstance(root, str) and root else f"{folder}/rootfs"
    if not os.path.isdir(path):
        raise RequestError(f"the bundle's root {path} is not there", subject=path)
    arguments = _list(_dict(config.get("process")).get("args"))
    program = arguments[0] if arguments and isinstance(arguments[0], str) else ""
    known = [*([_application(program)] if program else []), *_carried(config)]
    return Root(path, "bundle", {}, tuple(known))


def _config(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return _dict(json.loads(file.read(CONFIG_LIMIT)))
    except OSError as error:
        raise KernelError(f"cannot read {path}: {(error.strerror or '').lower()}", subject=path) from error
    except ValueError as error:
        raise FormatError(f"{path} is not JSON that can be read: {error}", subject=path) from error


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _carried(config: dict[str, Any]) -> list[Piece]:
    """What the bundle's mounts and devices bring across when it starts."""
    found = [_mounted(_dict(mount)) for mount in _list(config.get("mounts"))]
    devices = _list(_dict(config.get("linux")).get("devices"))
    found += [piece(str(_dict(one).get("path")), Read(stat.S_IFCHR, 0), "host") for one in devices]
    return [one for one in found if one]


def _mounted(mount: dict[str, Any]) -> Piece | None:
    path, source = mount.get("destination"), mount.get("source")
    if not (isinstance(path, str) and isinstance(source, str) and part_by_name(path)):
        return None
    try:
        status = os.stat(source)
        read = Read(status.st_mode, status.st_size)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            soname, noted = content(source)
            read = read._replace(soname=soname, noted=noted)
    except OSError:
        return None  # the start will fail; that is another command's to say
    return piece(path, read, "host")
