"""Texts of /proc, parsed. Every function takes the text and gives plain values; FormatError names the line."""

from collections.abc import Iterator
from typing import NamedTuple

from linkspan.errors import FormatError


class ModuleVersion(NamedTuple):
    """The NVIDIA kernel module: ``550.163.01``, and whether it is the open one."""

    version: str
    is_open: bool


class LoadedModule(NamedTuple):
    """A line of /proc/modules."""

    name: str
    used_by: tuple[str, ...]


class MountPoint(NamedTuple):
    """A line of mountinfo, as far as it is needed: ``root`` is the folder of the file system that is mounted."""

    device: tuple[int, int]
    root: str
    path: str
    options: tuple[str, ...]
    type: str
    source: str
    super_options: tuple[str, ...]


def driver_version(text: str) -> ModuleVersion:
    """``/proc/driver/nvidia/version``. The open module says "Open Kernel Module" in its first line, since 515."""
    for line in text.splitlines():
        if line.startswith("NVRM version:"):
            version = next((word for word in line.split() if _is_version(word)), None)
            if version:
                return ModuleVersion(version, "Open Kernel Module" in line)
    raise FormatError("the driver's version file has no line 'NVRM version:' with a number")


def _is_version(word: str) -> bool:
    parts = word.split(".")
    return len(parts) > 1 and all(part.isascii() and part.isdigit() for part in parts)


def devices(text: str) -> dict[str, int]:
    """The character devices of ``/proc/devices``, name to major number. Of several majors the first."""
    majors: dict[str, int] = {}
    section = ""
    for number, line in _lines(text):
        if line.endswith(":"):
            section = line
        elif section == "Character devices:":
            major, _, name = line.partition(" ")
            majors.setdefault(name.strip(), _natural(major, number))
    return majors


def modules(text: str) -> list[LoadedModule]:
    """``/proc/modules``. Its fourth field lists the users, each followed by a comma, or is ``-``."""
    loaded = []
    for number, line in _lines(text):
        fields = line.split()
        if len(fields) < 4:
            raise FormatError(f"line {number} has {len(fields)} fields where a module has at least 4")
        loaded.append(LoadedModule(fields[0], tuple(user for user in fields[3].split(",") if user not in {"", "-"})))
    return loaded


def params(text: str) -> dict[str, str]:
    """``/proc/driver/nvidia/params``: name to value, both as written."""
    return dict(_pairs(text))


def gpu_information(text: str) -> dict[str, str]:
    """``/proc/driver/nvidia/gpus/BUS/information``: ``Model``, ``GPU UUID``, ``Device Minor`` and more, as written."""
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for number, line in _lines(text):
        name, colon, value = line.partition(":")
        if not colon:
            raise FormatError(f"line {number} has no colon")
        yield name.strip(), value.strip()


def mig_minors(text: str) -> dict[str, int]:
    """``/proc/driver/nvidia-caps/mig-minors``: ``gpu0/gi1/access`` to the N of ``/dev/nvidia-caps/nvidia-capN``."""
    minors = {}
    for number, line in _lines(text):
        name, _, minor = line.rpartition(" ")
        if not name:
            raise FormatError(f"line {number} is not a name and a number")
        minors[name.strip()] = _natural(minor, number)
    return minors


def mountinfo(text: str) -> list[MountPoint]:
    """``/proc/PID/mountinfo``, in its own order: a later mount on the same path covers the earlier one."""
    return [_mount_point(number, line) for number, line in _lines(text)]


def _mount_point(number: int, line: str) -> MountPoint:
    # 36 35 98:0 /root /path rw,noatime shared:1 … - ext3 /dev/root rw   (proc(5): any number of optional fields)
    left, dash, right = line.partition(" - ")
    before, after = left.split(" "), right.split(" ")
    if not dash or len(before) < 6 or len(after) < 3:
        raise FormatError(f"line {number} is not a mount")
    major, _, minor = before[2].partition(":")
    return MountPoint(
        device=(_natural(major, number), _natural(minor, number)),
        root=_unescape(before[3], number),
        path=_unescape(before[4], number),
        options=tuple(before[5].split(",")),
        type=after[0],
        source=_unescape(after[1], number),
        super_options=tuple(after[2].split(",")),
    )


def _unescape(text: str, number: int) -> str:
    """The kernel writes blank, tab, newline and backslash as three octal digits (``mangle`` in fs/seq_file.c)."""
    head, *rest = text.split("\\")
    try:
        return head + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)
    except ValueError:
        raise FormatError(f"line {number} has a backslash without three octal digits") from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, stripped, with their numbers from 1."""
    return ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _natural(text: str, number: int) -> int:
    # The length keeps a hostile text away from int()'s own limit, which raises an error of another kind.
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise FormatError(f"line {number} has {text[:20]!r} where a number belongs")
    return int(text)
