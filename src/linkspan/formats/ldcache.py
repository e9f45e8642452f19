"""``/etc/ld.so.cache``: where glibc's loader finds a library by its name (glibc, elf/cache.c and elf/dl-cache.c).

Three layouts are read: the old one (``ld.so-1.7.0``), the new one (``glibc-ld.so.cache1.1``), and the new one behind an
old one, which ldconfig wrote until glibc 2.31. The new one is written; every glibc since 2.2 reads it.

    header, 48 bytes | entries of 24 bytes: flags, name, path, osversion, hwcap | strings | extension (glibc 2.33)

Names and paths are offsets from the header. Since glibc 2.33 an entry from a ``glibc-hwcaps`` folder has bit 62 of its
hwcap set, and the lower half counts in a list of such folders, in the extension.
"""

from _struct import Struct, pack, unpack_from  # the C module itself: ``struct`` is one more file to open

from linkspan.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

Entry = tuple[str, str, int, int, int]
"""Name, path, flags, osversion (the oldest kernel that will do; unused since glibc 2.37), hwcap."""

FLAG_ELF_LIBC6 = 0x0003
FLAG_X86_64 = 0x0300
FLAG_X32 = 0x0800
FLAG_ARM_HARD_FLOAT = 0x0900
FLAG_AARCH64 = 0x0A00

MAX_ENTRIES = 20_000
"""A desktop with everything on it has about 5000."""
MAX_STRING = 4096
"""PATH_MAX. Strings may overlap: without a bound a small file could stand for gigabytes of them."""
MAX_SECTIONS = 8
"""Of the extension; glibc knows two."""
MAX_HWCAP_FOLDERS = 64

_OLD_MAGIC = b"ld.so-1.7.0\0"
_OLD_HEADER_SIZE = 16
_OLD_ENTRY = Struct("<III")
_NEW_MAGIC = b"glibc-ld.so.cache1.1"
_NEW_HEADER = Struct("<20sIIB3xI12x")
_NEW_ENTRY = Struct("<IIIIQ")
_LITTLE_ENDIAN = 2
_EXTENSION_MAGIC = 0xEAA42174
_EXTENSION_SIZE = 24
_TAG_HWCAP_FOLDERS = 1

_FLAGS = {
    (3, 32): FLAG_ELF_LIBC6,
    (40, 32): FLAG_ELF_LIBC6 | FLAG_ARM_HARD_FLOAT,
    (62, 32): FLAG_ELF_LIBC6 | FLAG_X32,
    (62, 64): FLAG_ELF_LIBC6 | FLAG_X86_64,
    (183, 64): FLAG_ELF_LIBC6 | FLAG_AARCH64,
}

# The order of names is libcmp's in elf/dl-cache.c: a run of digits is one number, a C int that wraps around; it sorts
# above any other character, and characters by their code. So in a sort key a run of digits is one of
#   0x80 + four bytes, below zero | 0x81 to 0x8A, a number below ten | 0x8B + four bytes, any other.
_ONE_DIGIT = bytes(c + 0x51 if 0x30 <= c <= 0x39 else c for c in range(256))
_DIGIT_OR_NOT = bytes(0x30 <= c <= 0x39 for c in range(256))


def flags_for(machine: int, bits: int) -> int:
    """The flags that a loader looks for, by the ELF machine and class of a library; 0 for a machine of no GPU host."""
    return _FLAGS.get((machine, bits), 0)


def parse(data: bytes) -> "list[Entry]":
    """All entries, in the order of the file; FormatError on anything but a cache of a little-endian machine."""
    start = _new_header(data)
    if start is None:
        return _parse_old(data)
    if len(data) < start + _NEW_HEADER.size:
        raise _broken("its header is cut off")
    _, count, _, endian, _ = _NEW_HEADER.unpack_from(data, start)
    if endian & 3 not in (0, _LITTLE_ENDIAN):
        raise _broken("it was made for a big-endian machine")
    return [
        (_string(data, start + name), _string(data, start + path), flags, osversion, hwcap)
        for flags, name, path, osversion, hwcap in _table(data, start + _NEW_HEADER.size, count, _NEW_ENTRY)
    ]


def hwcap_folders(data: bytes) -> "tuple[str, ...]":
    """The ``glibc-hwcaps`` folders that the entries' hwcaps count in.

    Empty where there are none, and where the list leads out of the file: the loader does without it then.
    """
    try:
        start = _new_header(data)
        return () if start is None else _extension_folders(data, start)
    except FormatError:
        return ()


def _extension_folders(data: bytes, start: int) -> "tuple[str, ...]":
    at = _words(data, start + 32, 1)[0]
    if not at or _words(data, at, 1)[0] != _EXTENSION_MAGIC:
        return ()
    for section in range(min(_words(data, at + 4, 1)[0], MAX_SECTIONS)):
        tag, _, offset, size = _words(data, at + 8 + 16 * section, 4)
        if tag == _TAG_HWCAP_FOLDERS:
            return tuple(_string(data, start + one) for one in _words(data, offset, min(size // 4, MAX_HWCAP_FOLDERS)))
    return ()


def render(entries: "Iterable[Entry]", hwcap_folders: "Sequence[str]" = ()) -> bytes:
    """The cache in the new layout, sorted as the loader searches it.

    Of entries with the same name the loader takes the first that fits its machine, so their order is kept as given.
    ``hwcap_folders`` are those that the entries' hwcaps count in.
    """
    # Descending; ``reverse`` keeps the order of equal names too.
    ordered = sorted(entries, key=lambda entry: sort_key(entry[0]), reverse=True)
    strings = bytearray()
    first = _NEW_HEADER.size + _NEW_ENTRY.size * len(ordered)
    numbers: list[int] = []
    for name, path, flags, osversion, hwcap in ordered:
        at = first + len(strings)
        tail = _encode(name)
        strings += _encode(path)
        if not strings.endswith(tail):  # mostly the name is the path's end and needs no string of its own
            strings += b"\0" + tail
        numbers += flags, first + len(strings) - len(tail), at, osversion, hwcap
        strings += b"\0"
    extension = _extension(first, strings, hwcap_folders) if hwcap_folders else b""
    extension_at = first + len(strings) if extension else 0
    header = _NEW_HEADER.pack(_NEW_MAGIC, len(ordered), len(strings), _LITTLE_ENDIAN, extension_at)
    return b"".join((header, pack("<" + "IIIIQ" * len(ordered), *numbers), strings, extension))


def sort_key(name: str) -> bytes:
    """What the loader sorts a library's name by, ascending: ``libz.so.9`` before ``libz.so.10``."""
    text = _encode(name)
    if b"\1\1" not in text.translate(_DIGIT_OR_NOT):  # no number of two digits or more
        return text.translate(_ONE_DIGIT)
    return _long_key(text)


def _long_key(name: bytes) -> bytes:
    key = bytearray()
    digits = 0
    for end, is_digit in enumerate(name.translate(_DIGIT_OR_NOT)):
        if is_digit:
            digits += 1
            continue
        key += _number_key(name[end - digits : end])
        key.append(name[end])
        digits = 0
    return bytes(key + _number_key(name[len(name) - digits :]))


def _number_key(digits: bytes) -> bytes:
    if not digits:
        return b""
    value = int(digits) & 0xFFFFFFFF
    if value < 10:
        return bytes((0x81 + value,))
    return (b"\x8b" if value < 1 << 31 else b"\x80") + value.to_bytes(4, "big")


def _extension(first: int, strings: bytearray, folders: "Sequence[str]") -> bytes:
    """The extension, to stand right behind the strings: the folders' names are added to them, and they are padded."""
    offsets = []
    for folder in folders:
        offsets.append(first + len(strings))
        strings += _encode(folder) + b"\0"
    strings += bytes(-(first + len(strings)) % 4)
    place = first + len(strings) + _EXTENSION_SIZE
    header = pack("<6I", _EXTENSION_MAGIC, 1, _TAG_HWCAP_FOLDERS, 0, place, 4 * len(offsets))
    return header + pack(f"<{len(offsets)}I", *offsets)


def _new_header(data: bytes) -> "int | None":
    """Where the new layout starts; None where there is only the old one."""
    if data.startswith(_NEW_MAGIC):
        return 0
    if not data.startswith(_OLD_MAGIC) or len(data) < _OLD_HEADER_SIZE:
        raise _broken("it does not start like one")
    # Aligned to 8 wherever it was written: ldconfig keeps the number of old entries even.
    start = (_old_strings(data) + 7) & ~7
    return start if data.startswith(_NEW_MAGIC, start) else None


def _parse_old(data: bytes) -> "list[Entry]":
    first = _old_strings(data)
    return [
        (_string(data, first + name), _string(data, first + path), flags, 0, 0)
        for flags, name, path in _table(data, _OLD_HEADER_SIZE, _words(data, 12, 1)[0], _OLD_ENTRY)
    ]


def _old_strings(data: bytes) -> int:
    return _OLD_HEADER_SIZE + _OLD_ENTRY.size * int(_words(data, 12, 1)[0])


def _table(data: bytes, start: int, count: int, layout: Struct) -> "Iterator[tuple[Any, ...]]":
    if count > MAX_ENTRIES:
        raise _broken(f"it claims {count} entries")
    end = start + layout.size * count
    if end > len(data):
        raise _broken("its entries are cut off")
    return layout.iter_unpack(memoryview(data)[start:end])


def _words(data: bytes, at: int, count: int) -> "tuple[Any, ...]":
    if at + 4 * count > len(data):
        raise _broken(f"it is cut off before {at + 4 * count}")
    return unpack_from(f"<{count}I", data, at)


def _string(data: bytes, at: int) -> str:
    end = data.find(b"\0", at, at + MAX_STRING)
    if end < 0:
        raise _broken(f"the string at {at} has no end")
    return data[at:end].decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _broken(reason: str) -> FormatError:
    return FormatError(f"this is not a loader cache: {reason}")
