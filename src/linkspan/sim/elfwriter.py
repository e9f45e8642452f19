"""The smallest shared object that a loader accepts: a SONAME and nothing to call.

It stands for those libraries of the driver of which a container only needs to find the file. Layout after the System V
ABI, chapters 4 and 5: one segment holds the whole file, writable since glibc before 2.35 adjusts the dynamic section in
place. The section headers are for readers that look there for the SONAME, as Go's debug/elf does.
"""

import struct
from typing import NamedTuple

from linkspan.errors import FormatError

EM_386, EM_ARM, EM_X86_64, EM_AARCH64 = 3, 40, 62, 183
WORD_OF_MACHINE = {EM_386: 32, EM_ARM: 32, EM_X86_64: 64, EM_AARCH64: 64}

ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_SONAME = 0, 1, 4, 5, 6, 10, 11, 14
SHT_STRTAB, SHT_DYNAMIC = 3, 6
SHF_ALLOC = 2
READ_WRITE = 6
PAGE = 0x10000  # the largest page of a machine with NVIDIA GPUs (aarch64 with 64 KiB)
SECTION_NAMES = b"\0.dynamic\0.dynstr\0.shstrtab\0"


class _Width(NamedTuple):
    """The structures of a word size; ``word`` is struct's letter for an address."""

    number: int
    word: str
    header: struct.Struct
    segment_size: int
    section: struct.Struct
    symbol_size: int


_WIDTHS = {
    32: _Width(1, "I", struct.Struct("<16sHHIIIIIHHHHHH"), 32, struct.Struct("<10I"), 16),
    64: _Width(2, "Q", struct.Struct("<16sHHIQQQIHHHHHH"), 56, struct.Struct("<IIQQQQIIQQ"), 24),
}


def shared_object(soname: str, machine: int = EM_X86_64, needed: tuple[str, ...] = ()) -> bytes:
    """An ELF shared object of this name, for one of the machines above; FormatError for another machine.

    A loader also wants those of these names, when it loads it.
    """
    if machine not in WORD_OF_MACHINE:
        raise FormatError(f"no word size is known for ELF machine {machine}", hint="use one of the EM_ constants")
    width = _WIDTHS[WORD_OF_MACHINE[machine]]
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in (soname, *needed))
    entries = 7 + len(needed)
    # header | 3 segments | dynamic section | hash table | the null symbol | strings | section names | 4 sections
    dynamic = width.header.size + 3 * width.segment_size
    hash_table = dynamic + entries * struct.calcsize(f"<2{width.word}")
    symbols = _aligned(hash_table + 16)
    text = symbols + width.symbol_size
    names = text + len(strings)
    sections = _aligned(names + len(SECTION_NAMES))
    size = sections + 4 * width.section.size
    addresses = (DT_SONAME, 1, DT_HASH, hash_table, DT_STRTAB, text, DT_SYMTAB, symbols)
    sizes = (DT_STRSZ, len(strings), DT_SYMENT, width.symbol_size, DT_NULL, 0)
    more = [word for name in needed for word in (DT_NEEDED, strings.index(b"\0" + name.encode() + b"\0") + 1)]
    tags = struct.pack(f"<{2 * entries}{width.word}", *more, *addresses, *sizes)
    parts = {
        0: _header(width, machine, sections),
        width.header.size: _segment(width, PT_LOAD, (0, size), PAGE)
        + _segment(width, PT_DYNAMIC, (dynamic, len(tags)), 8)
        + _segment(width, PT_GNU_STACK, (0, 0), 16),
        dynamic: tags,
        hash_table: struct.pack("<4I", 1, 1, 0, 0),  # one bucket, one symbol, the null one
        text: strings,
        names: SECTION_NAMES,
        sections: bytes(width.section.size)
        + _section(width, b".dynamic", (dynamic, len(tags)), link=2, entry=len(tags) // entries)
        + _section(width, b".dynstr", (text, len(strings)))
        + _section(width, b".shstrtab", (names, len(SECTION_NAMES))),
    }
    return _assemble(parts, size)


def _aligned(offset: int) -> int:
    return -(-offset // 8) * 8


def _assemble(parts: dict[int, bytes], size: int) -> bytes:
    image = bytearray(size)
    for offset, data in parts.items():
        image[offset : offset + len(data)] = data
    return bytes(image)


def _header(width: _Width, machine: int, sections: int) -> bytes:
    ident = b"\x7fELF" + bytes([width.number, 1, 1])  # little endian, version 1
    sizes = (width.header.size, width.segment_size, 3, width.section.size, 4, 3)
    return width.header.pack(ident, ET_DYN, machine, 1, 0, width.header.size, sections, 0, *sizes)


def _segment(width: _Width, kind: int, extent: tuple[int, int], align: int) -> bytes:
    offset, size = extent
    if width.number == 1:
        return struct.pack("<8I", kind, offset, offset, offset, size, size, READ_WRITE, align)
    return struct.pack("<IIQQQQQQ", kind, READ_WRITE, offset, offset, offset, size, size, align)


def _section(width: _Width, name: bytes, extent: tuple[int, int], *, link: int = 0, entry: int = 0) -> bytes:
    offset, size = extent
    kind = SHT_DYNAMIC if name == b".dynamic" else SHT_STRTAB
    return width.section.pack(SECTION_NAMES.index(name), kind, SHF_ALLOC, offset, offset, size, link, 0, 1, entry)
