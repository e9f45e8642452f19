"""For which GPU architectures a library holds code: the headers of the fat binaries in it.

A fat binary is a container that nvcc links in, mostly in the section ``.nv_fatbin``; some libraries hold more of them
in ``.data`` or ``.rodata`` (cuRAND, cuSPARSELt), so all that is loaded is searched for their first bytes. All numbers
are little-endian. NVIDIA does not publish the layout; this is what ``fatbinary`` and ``cuobjdump`` of CUDA 11 to 13
agree on:

    container, 16 bytes: u32 magic 0xBA55ED50 | u16 version 1 | u16 header size 16 | u64 bytes of entries
    entry: u16 kind (1 PTX, 2 machine code) | u16 0x0101 | u32 header size | u64 payload size | 12 bytes
           | at 28 u32 architecture (90) | 8 bytes | at 40 u64 flags (1 << 20: sm_90a, 1 << 21: sm_100f)
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from struct import Struct

Pread = Callable[[int, int], bytes]

_START = bytes.fromhex("50ed55ba01001000")
_ENTRY = Struct("<HHIQ12xI8xQ")
_WORDS = {1: "compute", 2: "sm"}
_SPECIFIC, _FAMILY = 1 << 20, 1 << 21
_HEADER = 16
MAX_CONTAINERS = 20_000
"""Of one file; cuSPARSELt has some 2500."""
_MAX_ENTRIES = 1024
"""Of one container: a library for every GPU there is has some 40."""


class Finder:
    """Looks for the starts of containers in chunks as they come; ``places`` are their offsets, ascending."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self._at = 0
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self._search(self._tail + chunk[: len(_START) - 1], self._at - len(self._tail))
        self._search(chunk, self._at)
        self._at += len(chunk)
        self._tail = (self._tail + chunk[1 - len(_START) :])[1 - len(_START) :]

    def _search(self, data: bytes, before: int) -> None:
        at = data.find(_START)
        while at >= 0 and len(self.places) < MAX_CONTAINERS:
            self.places.append(before + at)
            at = data.find(_START, at + len(_START))


def architectures(pread: Pread, places: Iterable[int], parts: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """The architectures with code in these parts (offset, length) of a file: ``sm_90``, and ``compute_90`` for PTX.

    ``places`` are where containers start. One within another is part of what that one holds, and counts with it.
    """
    found: set[tuple[int, str]] = set()
    borders = sorted((at, at + length) for at, length in parts)
    behind = 0
    for place in places:
        end = _end(borders, place)
        if place < behind or not end:
            continue
        size = int.from_bytes(pread(place + 8, 8), "little")
        if 0 < size <= end - place - _HEADER:
            behind = place + _HEADER + size
            found |= set(_entries(pread, place + _HEADER, behind))
    return _sorted(found)


def _end(borders: list[tuple[int, int]], place: int) -> int:
    """Where the part ends that a place is in; 0 where it is in none."""
    following = bisect_right(borders, (place, 1 << 63))
    end = borders[following - 1][1] if following else 0
    return end if place < end else 0


def _sorted(found: set[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(found, key=lambda one: (one[1].startswith("compute"), *one)))


def _entries(pread: Pread, at: int, end: int) -> Iterator[tuple[int, str]]:
    for _ in range(_MAX_ENTRIES):
        data = pread(at, min(_ENTRY.size, end - at))
        if len(data) < _ENTRY.size:
            return
        kind, mark, header, payload, architecture, flags = _ENTRY.unpack(data)
        if mark != 0x0101 or not _ENTRY.size <= header <= 4096 or payload > end - at:
            return
        if kind in _WORDS and 10 <= architecture <= 999:
            letter = "a" if flags & _SPECIFIC else "f" if flags & _FAMILY else ""
            yield architecture, f"{_WORDS[kind]}_{architecture}{letter}"
        at += header + payload
