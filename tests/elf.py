"""ELF files for tests, with what the product's own writer (``linkspan.sim.elfwriter``) leaves out."""

import struct
from collections.abc import Sequence

X86_64, I386, AARCH64 = 62, 3, 183
COMPAT_SECTION = b".note.cuda.fwd_compatibility"


def library(
    soname: str = "",
    needed: Sequence[str] = (),
    *,
    machine: int = X86_64,
    bits: int = 64,
    order: str = "<",
    note: bytes | None = None,
    note_owner: bytes = b"NVIDIA Corporation\0",
    alignment: int = 4,
    base: int = 0x1000,
) -> bytes:
    """A shared object loaded at ``base``; with ``note`` it has NVIDIA's compatibility section of that content."""
    word = "Q" if bits == 64 else "I"
    header, segment, section = (64, 56, 64) if bits == 64 else (52, 32, 40)
    strings = b"\0"
    tags: list[int] = []
    for tag, name in [(14, soname)] * bool(soname) + [(1, name) for name in needed]:
        tags += [tag, len(strings)]
        strings += name.encode() + b"\0"
    dynamic_at = header + 2 * segment
    dynamic_size = (len(tags) + 4) * struct.calcsize(word)
    strings_at = dynamic_at + dynamic_size
    dynamic = struct.pack(f"{order}{len(tags) + 4}{word}", *tags, 5, base + strings_at, 0, 0)
    note_data = b"" if note is None else _note(order, note_owner, note, alignment)
    note_at = -(-(strings_at + len(strings)) // 8) * 8
    names = b"\0" + COMPAT_SECTION + b"\0.shstrtab\0"
    names_at = note_at + len(note_data)
    sections_at = names_at + len(names)
    count = 0 if note is None else 3
    end = sections_at + count * section
    image = bytearray(end)
    for at, data in ((dynamic_at, dynamic), (strings_at, strings), (note_at, note_data), (names_at, names)):
        image[at : at + len(data)] = data
    image[:header] = _header(order, bits, machine, sections_at if count else 0, count)
    image[header:dynamic_at] = b"".join(
        _segment(order, bits, kind, at, base + at, size)
        for kind, at, size in ((1, 0, end), (2, dynamic_at, dynamic_size))
    )
    if count:
        rows = ((0, 0, 0, 0, 0), (1, 7, note_at, len(note_data), alignment), (30, 3, names_at, len(names), 1))
        image[sections_at:] = b"".join(_section(order, bits, *row) for row in rows)
    return bytes(image)


def _note(order: str, owner: bytes, text: bytes, alignment: int) -> bytes:
    head = struct.pack(order + "III", len(owner), len(text), 1) + owner
    return head + bytes(-len(head) % alignment) + text


def _header(order: str, bits: int, machine: int, sections: int, count: int) -> bytes:
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    header, segment, section = (64, 56, 64) if bits == 64 else (52, 32, 40)
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    sizes = (header, segment, 2, section, count, 2 if count else 0)
    return ident + struct.pack(layout, 3, machine, 1, 0, header, sections, 0, *sizes)


def _segment(order: str, bits: int, *place: int) -> bytes:
    kind, at, address, size = place
    if bits == 64:
        return struct.pack(order + "2I6Q", kind, 4, at, address, address, size, size, 1)
    return struct.pack(order + "8I", kind, at, address, address, size, size, 4, 1)


def _section(order: str, bits: int, *place: int) -> bytes:
    name, kind, at, size, alignment = place
    layout = "2I4Q2I2Q" if bits == 64 else "10I"
    return struct.pack(order + layout, name, kind, 0, 0, at, size, 0, 0, alignment, 0)
