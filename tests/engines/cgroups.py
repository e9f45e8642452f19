"""The cgroup that holds one machine and all that it starts, in each hierarchy of its version; removed at the end."""

import os
import time
from typing import Literal

from tests.debian import UnavailableError

Version = Literal["v1", "v2"]

REMOVAL_S = 10.0
FIRST = "init"
"""The cgroup below, for the machine's own processes."""
COPIED = ("cpuset.cpus", "cpuset.mems")
"""What a new cgroup of the v1 cpuset hierarchy has empty; no process can enter it before it is set."""


def available() -> list[Version]:
    """The versions under which this machine confines devices, the older one first."""
    found: list[Version] = ["v1"] if any(path.endswith("/devices") for path in _hierarchies("v1")) else []
    return [*found, "v2"] if _hierarchies("v2") else found


def make(name: str, version: Version) -> list[str]:
    """New cgroups of this name at the top of all hierarchies; their folders."""
    folders = [f"{top}/{name}" for top in _hierarchies(version)]
    if not folders:
        raise UnavailableError(f"this machine has no cgroup {version} hierarchy")
    try:
        for folder in folders:
            for path in (folder, f"{folder}/{FIRST}"):
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


def _removed(folder: str) -> bool:
    try:
        for path, _, _ in os.walk(folder, topdown=False):
            os.rmdir(path)
    except OSError:
        return False
    return True


def _hierarchies(version: Version) -> list[str]:
    """Where this machine has mounted them; of v1, all."""
    kind = {"v1": "cgroup", "v2": "cgroup2"}[version]
    with open("/proc/self/mounts", encoding="utf-8") as file:
        entries = [line.split(" ") for line in file]
    found = [path for _, path, mounted, *_ in entries if mounted == kind]
    return list(dict.fromkeys(found))[: 1 if version == "v2" else None]


def _fill(folder: str) -> None:
    for name in COPIED:
        if os.path.exists(f"{folder}/{name}"):
            with open(f"{os.path.dirname(folder)}/{name}", "rb") as above, open(f"{folder}/{name}", "wb") as file:
                file.write(above.read())
