"""The few facts about an ELF file that containers turn on: its SONAME, its machine, and NVIDIA's compatibility note.

Reads through ``pread(offset, length)``, which may return less at the end of the file, and takes only what it needs: a
library of a gigabyte costs the same few reads as a small one. The layouts are the System V gABI's. The dynamic section
is found by the program headers, as the loader finds it, since section headers may be stripped.
"""

from _struct import calcsize, iter_unpack, unpack_from  # the C module itself: ``struct`` is one more file to open

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Pread = Callable[[int, int], bytes]

MAX_HEADERS = 1024
"""Program or section headers; real libraries have a dozen of the first and some forty of the second."""
MAX_SECTION = 64 << 10
"""Bytes of a section that is read whole: dynamic, section names, the note. Real ones have under 2 KiB."""
MAX_NEEDED = 256
MAX_NAME = 255
"""NAME_MAX: what is longer can be no file's name."""

COMPAT_SECTION = b".note.cuda.fwd_compatibility"
COMPAT_OWNER = b"NVIDIA Corporation"

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_SONAME = 0, 1, 5, 14
_SHT_NOTE = 7


class Elf:
    """What an ELF file says of itself: ``soname`` (may be empty), ``bits`` (32 or 64), ``machine`` (``e_machine``)."""

    __slots__ = ("bits", "machine", "needed", "soname")

    def __init__(self, soname: str, bits: int, machine: int, needed: "tuple[str, ...]") -> None:
        self.soname = soname
        self.bits = bits
        self.machine = machine
        self.needed = needed


def read(pread: "Pread", size: int) -> Elf:
    """The facts about a file of ``size`` bytes; FormatError where it is not ELF or cannot be followed."""
    file = File(pread, size)
    entries = file.dynamic()
    names = [entry for entry in entries if entry[0] in (_DT_NEEDED, _DT_SONAME)]
    if not names:
        return Elf("", file.bits, file.machine, ())
    start = file.offset_of(next((value for tag, value in entries if tag == _DT_STRTAB), -1))
    soname = next((file.string(start + value) for tag, value in names if tag == _DT_SONAME), "")
    needed = [value for tag, value in names if tag == _DT_NEEDED][:MAX_NEEDED]
    return Elf(soname, file.bits, file.machine, tuple(file.string(start + value) for value in needed))


def compat_note(pread: "Pread", size: int) -> "bytes | None":
    """The text in which a CUDA compatibility library says which drivers it suits; None where it says nothing.

    It is the first note of the section ``.note.cuda.fwd_compatibility``, and JSON. FormatError where the file is not
    ELF or cannot be followed.
    """
    file = File(pread, size)
    sections = file.sections()
    if file.name_section >= len(sections):
        return None
    names = file.read(*sections[file.name_section][2:4])
    for name, kind, offset, length, alignment in sections:
        if kind == _SHT_NOTE and names.startswith(COMPAT_SECTION + b"\0", name):
            return _first_note(file.read(offset, length), file.order, max(alignment, 4))
    return None


def _first_note(data: bytes, order: str, alignment: int) -> "bytes | None":
    if len(data) < 12:
        raise _broken("its compatibility note is cut off")
    name_size, size = unpack_from(order + "II", data)
    start = -(-(12 + name_size) // alignment) * alignment
    if start + size > len(data):
        raise _broken("its compatibility note is cut off")
    owner = data[12 : 12 + name_size].rstrip(b"\0")
    return data[start : start + size].rstrip(b"\0") if owner == COMPAT_OWNER else None


class File:
    """An ELF file's header and what it leads to; every read stays within the file and within our bounds."""

    __slots__ = ("_pread", "_programs", "_sections", "_size", "bits", "machine", "name_section", "order")

    def __init__(self, pread: "Pread", size: int) -> None:
        self._pread = pread
        self._size = size
        data = self.read(0, 64)
        if data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise _broken("it does not start like one")
        self.bits = 32 * data[4]
        self.order = "<" if data[5] == 1 else ">"
        wide = self.bits == 64
        self.machine: int = unpack_from(self.order + "H", data, 18)[0]
        programs, sections = unpack_from(self.order + ("QQ" if wide else "II"), data, 32 if wide else 28)
        sizes = unpack_from(self.order + "5H", data, 54 if wide else 42)
        self._programs = (programs, sizes[0], sizes[1])
        self._sections = (sections, sizes[2], sizes[3])
        self.name_section: int = sizes[4]

    def segments(self) -> "list[tuple[int, int, int, int]]":
        """The program headers: type, offset, address, length in the file."""
        if self.bits == 64:
            return [(row[0], row[2], row[3], row[5]) for row in self._table(self._programs, "2I6Q")]
        return [(row[0], row[1], row[2], row[4]) for row in self._table(self._programs, "8I")]

    def sections(self) -> "list[tuple[int, int, int, int, int]]":
        """The section headers: name's place among the names, type, offset, length, alignment."""
        rows = self._table(self._sections, "2I4Q2I2Q" if self.bits == 64 else "10I")
        return [(row[0], row[1], row[4], row[5], row[8]) for row in rows]

    def dynamic(self) -> "list[tuple[int, int]]":
        """The dynamic section up to its end mark: tag, value; empty where there is none."""
        for kind, offset, _, length in self.segments():
            if kind == _PT_DYNAMIC:
                entry = "2Q" if self.bits == 64 else "2I"
                whole = length - length % calcsize("<" + entry)
                entries = list(iter_unpack(self.order + entry, self.read(offset, whole)))
                end = next((place for place, (tag, _) in enumerate(entries) if tag == _DT_NULL), len(entries))
                return entries[:end]
        return []

    def offset_of(self, address: int) -> int:
        """Where in the file an address of the loaded image stands."""
        for kind, offset, start, length in self.segments():
            if kind == _PT_LOAD and start <= address < start + length:
                return offset + address - start
        raise _broken("its strings are not in the file")

    def string(self, at: int) -> str:
        """The string at an offset of the file."""
        data = self.read(at, min(MAX_NAME + 1, max(self._size - at, 1)))
        end = data.find(b"\0")
        if end < 0:
            raise _broken(f"the name at {at} has no end")
        return data[:end].decode("utf-8", "surrogateescape")

    def read(self, at: int, length: int) -> bytes:
        """Exactly these bytes of the file."""
        if length > MAX_SECTION or at + length > self._size:
            raise _broken(f"it leads to {length} bytes at {at} of {self._size}")
        data = self._pread(at, length)
        if len(data) < length:
            raise _broken("it ends too early")
        return data

    def _table(self, place: "tuple[int, int, int]", layout: str) -> "list[tuple[Any, ...]]":
        offset, size, count = place
        if count > MAX_HEADERS or (count and size != calcsize("<" + layout)):
            raise _broken(f"it claims {count} headers of {size} bytes")
        return list(iter_unpack(self.order + layout, self.read(offset, size * count)))


def _broken(reason: str) -> FormatError:
    return FormatError(f"this is not an ELF file that can be followed: {reason}")
