"""For which GPU architectures a library holds code: the headers of the fat binaries in it.

A fat binary is a container that nvcc links in, mostly in the section ``.nv_fatbin``; some libraries hold more of them
in ``.data`` or ``.rodata`` (cuRAND, cuSPARSELt), so all that is loaded is searched for their first bytes. All numbers
are little-endian. NVIDIA does not publish the layout; this is what ``fatbinary`` and ``cuobjdump`` of CUDA 11 to 13
agree on:

    container, 16 bytes: u32 magic 0xBA55ED50 | u16 version 1 | u16 header size 16 | u64 bytes of entries
    entry: u16 kind (1 PTX, 2 machine code) | u16 0x0101 | u32 header size | u64 payload size | 12 bytes
           | at 28 u32 architecture (90) | 8 bytes | at 40 u64 flags (1 << 20: sm_90a, 1 << 21: sm_100f)
"""

from collections.abc import Callable, Iterable, Iterator
from struct import Struct

Pread = Callable[[int, int], bytes]

_START = bytes.fromhex("50ed55ba01001000")
_ENTRY = Struct("<HHIQ12xI8xQ")
_WORDS = {1: "compute", 2: "sm"}
_SPECIFIC, _FAMILY = 1 << 20, 1 << 21
_CHUNK = 1 << 20
_MAX_CONTAINERS = 100_000
_MAX_ENTRIES = 1024
"""Of one container: a library for every GPU there is has some 40."""


def architectures(pread: Pread, parts: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """The architectures with code in these parts (offset, length) of a file: ``sm_90``, and ``compute_90`` for PTX."""
    found: set[tuple[int, str]] = set()
    left = _MAX_CONTAINERS
    for at, length in parts:
        for place, size in _containers(pread, at, at + length):
            found |= set(_entries(pread, place, place + size))
            left -= 1
            if not left:
                return _sorted(found)
    return _sorted(found)


def _sorted(found: set[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(found, key=lambda one: (one[1].startswith("compute"), *one)))


def _containers(pread: Pread, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the entries of each container start, and how many bytes they have."""
    while at < end:
        data = pread(at, min(_CHUNK, end - at))
        if len(data) < 16:
            return
        place = data.find(_START)
        if place < 0:
            at += len(data) - 15  # a header may lie across the border
        elif place + 16 > len(data):
            at += place
        else:
            start = at + place + 16
            size = int.from_bytes(data[place + 8 : place + 16], "little")
            fits = 0 < size <= end - start
            if fits:
                yield start, size
            at = start + (size if fits else 0)


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
