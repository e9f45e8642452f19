"""Who a process is: its ids, groups, and how the ids of its user namespace stand for the host's."""

from typing import NamedTuple

from linkspan.check.scene import Scene
from linkspan.facts.host import Status

ALL_IDS = 4294967295
"""The length of the only line of a uid_map that changes nothing (user_namespaces(7))."""


class Identity(NamedTuple):
    """The real ids on the host, and the supplementary groups."""

    uid: int
    gid: int
    groups: frozenset[int]


def identity(scene: Scene, pid: int) -> Identity:
    """Of a process; root without groups where it is gone."""
    lines = (line.partition(":") for line in (scene.eyes.text(f"/proc/{pid}/status") or "").splitlines())
    fields = {name: _numbers(value) for name, _, value in lines if name in ("Uid", "Gid", "Groups")}
    uid, gid = (fields.get(name) or [0] for name in ("Uid", "Gid"))
    return Identity(uid[0], gid[0], frozenset(fields.get("Groups", [])))


def _numbers(value: str) -> list[int]:
    return [int(word) for word in value.split() if word.isdecimal()]


def id_map(scene: Scene, pid: int) -> list[tuple[int, int, int]]:
    """The lines of a process's uid_map: first id inside, first id outside, how many."""
    rows = (_numbers(line) for line in (scene.eyes.text(f"/proc/{pid}/uid_map") or "").splitlines())
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]


def in_user_namespace(scene: Scene, pid: int) -> bool:
    """True where the ids of a process stand for others of the host."""
    found = id_map(scene, pid)
    return bool(found) and found != [(0, 0, ALL_IDS)]


def permission(found: Status, who: Identity) -> int:
    """The three permission bits that count for somebody, by owner, group or others (inode(7)); root has them all."""
    if who.uid == 0:
        return 0o7
    if found.uid == who.uid:
        return found.mode >> 6 & 0o7
    return (found.mode >> 3 if found.gid in {who.gid, *who.groups} else found.mode) & 0o7
