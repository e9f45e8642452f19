"""Where a process's device cgroup is: ``/proc/PID/cgroup`` and mountinfo, as bytes (see cgroups(7), proc(5))."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_USUAL = "/sys/fs/cgroup"
"""Where runtimes look; a hierarchy that is mounted elsewhere, in a chroot say, is not by which they confine."""


def device_cgroups(cgroup: bytes, mountinfo: bytes) -> "Iterator[tuple[int, str]]":
    """Version (1 or 2) and folder of what may be the device cgroup, the likeliest first.

    A process with a ``devices`` hierarchy of version 1 is confined by that, whatever else it is in; but where something
    is mounted over that hierarchy, its runtime did not see it either.
    """
    return iter(sorted(_mounted_anywhere(cgroup, mountinfo), key=_is_elsewhere))


def _is_elsewhere(found: "tuple[int, str]") -> bool:
    return not found[1].startswith(_USUAL)


def _mounted_anywhere(cgroup: bytes, mountinfo: bytes) -> "Iterator[tuple[int, str]]":
    entries = [entry for line in cgroup.splitlines() if len(entry := line.split(b":", 2)) == 3]
    for _, controllers, path in entries:
        if b"devices" in controllers.split(b","):
            yield from _below(1, path, _mounted(mountinfo, b"cgroup", b"devices"))
    for number, controllers, path in entries:
        if number == b"0" and not controllers:
            yield from _below(2, path, _mounted(mountinfo, b"cgroup2", b""))


def _mounted(mountinfo: bytes, kind: bytes, option: bytes) -> "Iterator[tuple[bytes, bytes]]":
    """Root and mount point of the mounts of a kind; the last one stands before others at the same place."""
    for line in reversed(mountinfo.splitlines()):
        before, _, after = line.partition(b" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 4 and len(rest) > 2 and rest[0] == kind and (not option or option in rest[2].split(b",")):
            yield fields[3], fields[4]


def _below(version: int, path: bytes, mounts: "Iterator[tuple[bytes, bytes]]") -> "Iterator[tuple[int, str]]":
    """The folder of a cgroup in each mount that shows it. One above the mount's root (``/..``) is not shown."""
    for root, place in mounts:
        top = b"" if root == b"/" else root
        if b"/.." not in path and (path == root or path.startswith(top + b"/")):
            yield version, (_unescape(place) + path[len(top) :].rstrip(b"/")).decode("utf-8", "surrogateescape")


def _unescape(path: bytes) -> bytes:
    for code, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        path = path.replace(code, character)
    return path
