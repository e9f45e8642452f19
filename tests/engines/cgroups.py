"""The cgroup that holds one machine and all that it starts, in each hierarchy of its version; removed at the end."""

import os
import time
import uuid
from typing import Literal

from tests.debian import UnavailableError

Version = Literal["v1", "v2"]

PREFIX = "linkspan-engine-"
USUAL = "/sys/fs/cgroup"
REMOVAL_S = 10.0
FIRST = "init"
"""The cgroup below, for the machine's own processes."""
BESIDE = "beside"
"""Another one, for commands on a machine whose first process is systemd, which has the first one to itself."""
COPIED = ("cpuset.cpus", "cpuset.mems")
"""What a new cgroup of the v1 cpuset hierarchy has empty; no process can enter it before it is set."""


def available() -> list[Version]:
    """The versions under which this machine confines devices, the older one first."""
    found: list[Version] = ["v1"] if any(path.endswith("/devices") for path in _hierarchies("v1")) else []
    return [*found, "v2"] if _hierarchies("v2") else found


def new_name() -> str:
    """A name that no other machine has; it tells whose the cgroups are."""
    return f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def make(name: str, version: Version) -> list[str]:
    """New cgroups of this name at the top of all hierarchies; their folders."""
    tops = _hierarchies(version)
    _remove_abandoned(tops)
    folders = [f"{top}/{name}" for top in tops]
    if not folders:
        raise UnavailableError(f"this machine has no cgroup {version} hierarchy")
    try:
        for folder in folders:
            for path in (folder, f"{folder}/{FIRST}", f"{folder}/{BESIDE}"):
                os.mkdir(path)
                _fill(path)
    except OSError as error:
        remove(folders)
        raise UnavailableError(f"this machine lets us make no cgroup: {error}") from None
    return folders


def remove(folders: list[str]) -> None:
    """Remove them with all that is below, once the last process is gone."""
    end = time.monotonic() + REMOVAL_S
    while left := [folder for folder in folders if not _removed(folder)]:
        if time.monotonic() > end:
            raise TimeoutError(f"cgroups with processes in them are left behind: {left}")
        time.sleep(0.02)


def _remove_abandoned(tops: list[str]) -> None:
    """Remove the cgroups of tests that were killed, which nobody else does."""
    for top in tops:
        for name in os.listdir(top):
            pid = name.removeprefix(PREFIX).partition("-")[0]
            if name.startswith(PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                _removed(f"{top}/{name}")


def _removed(folder: str) -> bool:
    try:
        for path, _, _ in os.walk(folder, topdown=False):
            os.rmdir(path)
    except OSError:
        return False
    return True


def _hierarchies(version: Version) -> list[str]:
    """Where this machine has mounted them; of v1, all. A chroot's mounts show the same ones, and are passed over."""
    kind = {"v1": "cgroup", "v2": "cgroup2"}[version]
    with open("/proc/self/mounts", encoding="utf-8") as file:
        entries = [line.split(" ") for line in file]
    found = [path for _, path, mounted, *_ in entries if mounted == kind and path.startswith(USUAL)]
    return list(dict.fromkeys(found))[: 1 if version == "v2" else None]


def _fill(folder: str) -> None:
    for name in COPIED:
        if os.path.exists(f"{folder}/{name}"):
            with open(f"{os.path.dirname(folder)}/{name}", "rb") as above, open(f"{folder}/{name}", "wb") as file:
                file.write(above.read())
