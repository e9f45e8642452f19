"""Tells systemd of devices that were allowed behind its back, so that a reload of its units does not take them away.

Where systemd made the cgroup of a container, it is a scope, and systemd writes its device rules anew whenever units
are reloaded. What an engine did not declare to it is lost then, unless a drop-in of the scope allows it. systemd
removes the drop-ins of a transient unit with it, but only those that it has read; ``prune`` removes the others.
"""

import posix as os

from linkspan.errors import KernelError
from linkspan.formats import scopes
from linkspan.kernel import files, stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Rules = Iterable[dict[str, Any]]


def leave(cgroup: str, rules: "Rules", nodes: "Sequence[dict[str, Any]]", folder: str = scopes.FOLDER) -> None:
    """Leave a drop-in that allows what these rules (as in ``linux.resources.devices``) allow.

    ``cgroup`` is the folder of the container's cgroup, ``nodes`` are entries of ``linux.devices`` that may have names
    for the rules' numbers. Where the cgroup is no unit of this host's systemd, or one that may open everything, nothing
    is to be done. Nor is it worth a container's start where the file cannot be written: the devices are there until
    the next reload, as they were.
    """
    unit = scopes.unit_of(cgroup)
    if not unit or not scopes.confines_devices(
        _read(f"{folder}/{name}") for name in (unit, f"{unit}.d/{scopes.POLICY}")
    ):
        return
    prune(folder)
    devices = [(_spelled(rule, name_of(rule, nodes)), rule["access"]) for rule in rules]
    try:
        files.make_folder(f"{folder}/{unit}.d", 0o755)
        text = scopes.drop_in(devices)
        files.write_whole(f"{folder}/{unit}.d/{scopes.DROP_IN}", text.encode(), durable=False)
    except (OSError, KernelError):
        return


def name_of(rule: "dict[str, Any]", nodes: "Sequence[dict[str, Any]]") -> str:
    """The path of the node that a rule is for; empty where there is none that a unit's file can have."""
    numbers = [rule[key] for key in ("type", "major", "minor")]
    found = [node["path"] for node in nodes if [node.get(key, 0) for key in ("type", "major", "minor")] == numbers]
    return found[0] if found and scopes.is_plain(found[0]) else ""


def prune(folder: str = scopes.FOLDER) -> None:
    """Remove our drop-ins of units that are gone. Never fails: what is left is tried again."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    units = set(names)
    for name in names:
        unit = name.removesuffix(".d")
        # Asked once more: systemd may have made it since.
        if (
            unit != name
            and unit not in units
            and scopes.unit_of(f"a.slice/{unit}")
            and not stamps.exists(f"{folder}/{unit}")
        ):
            _remove(f"{folder}/{name}")


def _remove(folder: str) -> None:
    try:
        for name in os.listdir(folder):
            if name.lstrip(".").startswith(scopes.DROP_IN):  # with a dot: not finished by a hook that was killed
                os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except OSError:
        return  # somebody else's drop-in stands beside ours


def _spelled(rule: "dict[str, Any]", name: str) -> str:
    """By number, as runc does it. systemd before version 240 needs a path that is there: else by name."""
    number = scopes.by_number(rule["type"], rule["major"], rule["minor"])
    if not name or stamps.exists(number):
        return number
    try:
        is_same = os.stat(name).st_rdev == os.makedev(rule["major"], rule["minor"])
    except OSError:
        is_same = False
    return name if is_same else number


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""
