"""ELF files as a link editor writes them, with everything in them that the checker of images looks at.

Every part is a section of its own with its flags and links, and the segments and the dynamic section lead to it, so
that any reader finds it: our own goes by segments, ``readelf`` by sections. Little-endian, loaded at address 0.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

X86_64, I386, AARCH64, CUDA = 62, 3, 183, 190
_PROGBITS, _STRTAB, _HASH, _DYNAMIC, _DYNSYM, _VERNEED, _VERSYM = 1, 3, 5, 6, 11, 0x6FFFFFFE, 0x6FFFFFFF
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_GNU_STACK = 1, 2, 3, 0x6474E551
_ALLOC = 2
_DT = {"needed": 1, "hash": 4, "strtab": 5, "symtab": 6, "strsz": 10, "syment": 11, "soname": 14, "rpath": 15}
_DT |= {"runpath": 29, "versym": 0x6FFFFFF0, "verneed": 0x6FFFFFFE, "verneednum": 0x6FFFFFFF}


class _Part(NamedTuple):
    """A section: ``link`` is the name of the one that it refers to."""

    name: str
    kind: int
    data: bytes
    link: str = ""
    info: int = 0
    entry: int = 0
    flags: int = _ALLOC


class _Width(NamedTuple):
    """The structures of a word size; ``word`` is struct's letter for an address."""

    number: int
    word: str
    header: struct.Struct
    segment: struct.Struct
    section: struct.Struct
    symbol: int


_WIDTHS = {
    32: _Width(1, "I", struct.Struct("<16sHHIIIIIHHHHHH"), struct.Struct("<8I"), struct.Struct("<10I"), 16),
    64: _Width(
        2, "Q", struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<IIQQQQIIQQ"), 24
    ),
}


class _Strings:
    """A table of strings."""

    def __init__(self) -> None:
        self.data = b"\0"

    def add(self, text: str) -> int:
        """Where it stands."""
        self.data += text.encode() + b"\0"
        return len(self.data) - len(text.encode()) - 1


def linked(
    soname: str = "",
    needed: Sequence[str] = (),
    *,
    machine: int = X86_64,
    bits: int = 64,
    runpath: str = "",
    rpath: str = "",
    interpreter: str = "",
    versions: Mapping[str, Sequence[str]] | None = None,
    code: bytes = b"",
) -> bytes:
    """A shared object, or with an interpreter a program; ``code`` is what its section ``.nv_fatbin`` holds."""
    width = _WIDTHS[bits]
    strings = _Strings()
    tags = [(_DT["needed"], strings.add(name)) for name in needed]
    words = {"soname": soname, "rpath": rpath, "runpath": runpath}
    tags += [(_DT[key], strings.add(word)) for key, word in words.items() if word]
    wanted = _versions(versions or {}, strings)
    parts = [_Part(".interp", _PROGBITS, interpreter.encode() + b"\0")] if interpreter else []
    parts += [
        _Part(".hash", _HASH, struct.pack("<4I", 1, 1, 0, 0), ".dynsym", entry=4),
        _Part(".dynsym", _DYNSYM, bytes(width.symbol), ".dynstr", 1, width.symbol),
        _Part(".dynstr", _STRTAB, strings.data),
    ]
    if versions:
        parts.append(_Part(".gnu.version", _VERSYM, bytes(2), ".dynsym", entry=2))
        parts.append(_Part(".gnu.version_r", _VERNEED, wanted, ".dynstr", len(versions)))
    if code:
        parts.append(_Part(".nv_fatbin", _PROGBITS, code))
    return _File(width, machine, parts, tags).whole()


def _versions(versions: Mapping[str, Sequence[str]], strings: _Strings) -> bytes:
    """The section of needed versions: for each library a head, and after it a row for each version."""
    data, number = b"", 2
    for place, (library, names) in enumerate(versions.items()):
        following = 0 if place == len(versions) - 1 else 16 * (len(names) + 1)
        data += struct.pack("<HHIII", 1, len(names), strings.add(library), 16, following)
        for last, name in enumerate(names, 1 - len(names)):
            data += struct.pack("<IHHII", _hash(name), 0, number, strings.add(name), 16 if last else 0)
            number += 1
    return data


def _hash(name: str) -> int:
    """The hash of the System V ABI, by which a loader finds a version."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        value = (value ^ (value >> 24 & 0xF0)) & 0x0FFFFFFF
    return value


class _File:
    """The parts in their order, each at its place; the dynamic section's size is known before its content."""

    def __init__(self, width: _Width, machine: int, parts: list[_Part], tags: list[tuple[int, int]]) -> None:
        self._width = width
        self._machine = machine
        entry = struct.calcsize(f"<2{width.word}")
        count = len(tags) + 6 + 3 * any(part.kind == _VERNEED for part in parts)
        dynamic = _Part(".dynamic", _DYNAMIC, bytes(count * entry), ".dynstr", entry=entry)
        names = _Strings()
        self._names = {name: names.add(name) for name in (*(part.name for part in parts), ".dynamic", ".shstrtab")}
        every = (*parts, dynamic, _Part(".shstrtab", _STRTAB, names.data, flags=0))
        self._parts = {part.name: part for part in every}
        self._segments = 3 + (".interp" in self._parts)
        self._places: dict[str, int] = {}
        self._end = width.header.size + self._segments * width.segment.size
        for part in every:
            self._places[part.name] = at = _aligned(self._end)
            self._end = at + len(part.data)
        self._parts[".dynamic"] = dynamic._replace(data=self._dynamic(tags))

    def whole(self) -> bytes:
        """The whole of it: headers, parts, and the table of sections at its end."""
        table = _aligned(self._end)
        image = bytearray(table)
        for name, part in self._parts.items():
            image[self._places[name] : self._places[name] + len(part.data)] = part.data
        image += bytes(self._width.section.size) + b"".join(map(self._section, self._parts.values()))
        head = self._header(table) + self._program_headers(len(image))
        image[: len(head)] = head
        return bytes(image)

    def _dynamic(self, tags: list[tuple[int, int]]) -> bytes:
        own = {"hash": ".hash", "strtab": ".dynstr", "symtab": ".dynsym"}
        known = {"strsz": len(self._parts[".dynstr"].data), "syment": self._width.symbol}
        if needs := self._parts.get(".gnu.version_r"):
            own |= {"versym": ".gnu.version", "verneed": ".gnu.version_r"}
            known["verneednum"] = needs.info
        known |= {key: self._places[name] for key, name in own.items()}
        rows = (*tags, *((_DT[key], value) for key, value in known.items()), (0, 0))
        return b"".join(struct.pack(f"<2{self._width.word}", *row) for row in rows)

    def _header(self, table: int) -> bytes:
        width, count = self._width, len(self._parts) + 1
        ident = b"\x7fELF" + bytes([width.number, 1, 1])
        sizes = (width.header.size, width.segment.size, self._segments, width.section.size, count, count - 1)
        return width.header.pack(ident, 3, self._machine, 1, 0, width.header.size, table, 0, *sizes)

    def _program_headers(self, size: int) -> bytes:
        width, interpreter = self._width, self._extent(".interp")
        found = _segment(width, _PT_INTERP, interpreter, 4, 1) if interpreter[1] else b""
        found += _segment(width, _PT_LOAD, (0, size), 6, 0x1000)
        found += _segment(width, _PT_DYNAMIC, self._extent(".dynamic"), 6, 8)
        return found + _segment(width, _PT_GNU_STACK, (0, 0), 6, 16)

    def _extent(self, name: str) -> tuple[int, int]:
        return self._places.get(name, 0), len(self._parts[name].data) if name in self._parts else 0

    def _section(self, part: _Part) -> bytes:
        at = self._places[part.name]
        link = list(self._parts).index(part.link) + 1 if part.link else 0
        place = (part.flags, at if part.flags else 0, at, len(part.data), link, part.info, 8, part.entry)
        return self._width.section.pack(self._names[part.name], part.kind, *place)


def _aligned(offset: int) -> int:
    return -(-offset // 8) * 8


def _segment(width: _Width, kind: int, extent: tuple[int, int], flags: int, align: int) -> bytes:
    offset, size = extent
    if width.number == 1:
        return width.segment.pack(kind, offset, offset, offset, size, size, flags, align)
    return width.segment.pack(kind, flags, offset, offset, offset, size, size, align)


def fat_binary(*architectures: str) -> bytes:
    """A fat binary with code for these: ``sm_90a``, or ``compute_90`` for PTX."""
    return container(*(_entry(name) for name in architectures))


def _entry(name: str) -> tuple[int, int, int, bytes]:
    kind, _, able = name.partition("_")
    flags = {"a": 1 << 20, "f": 1 << 21}.get(able[-1], 0) | 0x11
    return {"compute": 1, "sm": 2}[kind], int(able.rstrip("af")), flags, name.encode().ljust(64, b"\0")


def container(*entries: tuple[int, int, int, bytes]) -> bytes:
    """A fat binary, laid out as ``fatbinary`` of CUDA 13 does; an entry is kind, architecture, flags, payload."""
    body = b""
    for kind, architecture, flags, payload in entries:
        place = (len(payload), 0, 64, 0, 9, architecture, 0, 0, flags, 0, 0)
        body += struct.pack("<HHIQIIHHIIIQQQ", kind, 0x0101, 64, *place) + payload
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body
