"""glibc's loader cache."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import ldcache

X86_64 = ldcache.flags_for(62, 64)
I386 = ldcache.flags_for(3, 32)

ENTRIES = [
    ("libz.so.1", "/usr/lib/libz.so.1", X86_64, 0, 0),
    ("libcuda.so.1", "/usr/lib/libcuda.so.1", X86_64, 0, 0),
    ("libcuda.so.1", "/usr/lib32/libcuda.so.1", I386, 0, 0),
    ("libc.so.6", "/lib/libc-2.31.so", X86_64, 0x30200, 1 << 63),
]


def old_cache(entries: list[ldcache.Entry]) -> bytes:
    """The layout of glibc 2.0, as its ldconfig writes it; offsets count from the end of the entries."""
    strings, rows = b"", b""
    for name, path, flags, _, _ in entries:
        rows += struct.pack("<III", flags, len(strings), len(strings) + len(name) + 1)
        strings += name.encode() + b"\0" + path.encode() + b"\0"
    return b"ld.so-1.7.0\0" + struct.pack("<I", len(entries)) + rows + strings


def both(entries: list[ldcache.Entry], new: bytes) -> bytes:
    """What ldconfig wrote until glibc 2.31: old entries, an even number of them, and the new layout for strings."""
    count = len(entries) + len(entries) % 2
    header = b"ld.so-1.7.0\0" + struct.pack("<I", count) + bytes(12 * count)
    return header + bytes(-len(header) % 8) + new


def test_what_is_written_is_read_back_in_the_loaders_order() -> None:
    assert ldcache.parse(ldcache.render(ENTRIES)) == ENTRIES
    assert ldcache.parse(ldcache.render(ENTRIES[:0] + ENTRIES[3:] + ENTRIES[:3])) == ENTRIES


def test_the_new_layout_starts_as_glibc_documents_it() -> None:
    data = ldcache.render(ENTRIES)
    assert data[:20] == b"glibc-ld.so.cache1.1"
    count, strings = struct.unpack_from("<II", data, 20)
    assert (count, strings) == (4, len(data) - 48 - 4 * 24)
    assert data[28] == 2  # little-endian
    assert data[29:48] == bytes(19)


def test_a_name_that_ends_its_path_is_stored_once() -> None:
    data = ldcache.render(ENTRIES[:1])
    assert data.count(b"libz.so.1") == 1
    assert ldcache.render([("libc.so.6", "/lib/libc-2.31.so", X86_64, 0, 0)]).count(b"libc.so.6\0") == 1


def test_the_old_layout_is_read() -> None:
    assert ldcache.parse(old_cache(ENTRIES)) == [(*entry[:3], 0, 0) for entry in ENTRIES]
    assert ldcache.hwcap_folders(old_cache(ENTRIES)) == ()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_new_layout_is_read_behind_an_old_one(count: int) -> None:
    data = both(ENTRIES[:count], ldcache.render(ENTRIES))
    assert ldcache.parse(data) == ENTRIES


def test_equal_names_stay_in_the_order_given_so_that_the_first_is_found() -> None:
    first = ("libcuda.so.1", "/ours/libcuda.so.1", X86_64, 0, 0)
    second = ("libcuda.so.1", "/image/libcuda.so.1", X86_64, 0, 1 << 62)
    assert ldcache.parse(ldcache.render([first, second])) == [first, second]
    assert ldcache.parse(ldcache.render([second, first])) == [second, first]


def test_folders_of_hardware_capabilities_survive() -> None:
    entry = ("libz.so.1", "/usr/lib/glibc-hwcaps/x86-64-v3/libz.so.1", X86_64, 0, 1 << 62 | 1)
    folders = ("x86-64-v2", "x86-64-v3")
    data = ldcache.render([entry, *ENTRIES], folders)
    assert ldcache.hwcap_folders(data) == folders
    assert ldcache.parse(data)[1] == ENTRIES[0]
    extension = struct.unpack_from("<I", data, 32)[0]
    assert extension % 4 == 0
    assert len(data) == extension + 24 + 8


@pytest.mark.parametrize(
    ("change", "folders"),
    [
        (lambda data, at: struct.pack_into("<I", data, at, 0), ()),  # another magic
        (lambda data, at: struct.pack_into("<I", data, at + 4, 0), ()),  # no sections
        (lambda data, at: struct.pack_into("<I", data, at + 8, 0), ()),  # the section of the generator alone
    ],
)
def test_an_extension_without_folders_has_none(change: object, folders: tuple[str, ...]) -> None:
    data = bytearray(ldcache.render(ENTRIES, ("x86-64-v3",)))
    change(data, struct.unpack_from("<I", data, 32)[0])  # type: ignore[operator]  # a lambda of the table above
    assert ldcache.hwcap_folders(bytes(data)) == folders


@pytest.mark.parametrize("data", [b"", b"garbage", ldcache.render(ENTRIES)[:30], ldcache.render(ENTRIES, ("v3",))[:-1]])
def test_what_cannot_be_read_has_no_folders(data: bytes) -> None:
    assert ldcache.hwcap_folders(data) == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not start like one"),
        (b"ld.so-1.7.0\0", "does not start like one"),
        (b"ld.so-1.7.0\0\xff\xff\xff\xff", "claims 4294967295 entries"),
        (b"ld.so-1.7.0\0\1\0\0\0", "its entries are cut off"),
        (b"glibc-ld.so.cache1.1", "its header is cut off"),
        (ldcache.render(ENTRIES)[:-1], "has no end"),
        (ldcache.render(ENTRIES)[:60], "its entries are cut off"),
        (ldcache.render(ENTRIES)[:28] + b"\3" + ldcache.render(ENTRIES)[29:], "big-endian"),
        (ldcache.render([("lib" + "x" * 5000, "/x", X86_64, 0, 0)]), "has no end"),
    ],
)
def test_what_is_no_cache_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        ldcache.parse(data)


def test_a_cache_without_endianness_is_an_older_ldconfigs() -> None:
    data = bytearray(ldcache.render(ENTRIES))
    data[28] = 0
    assert ldcache.parse(bytes(data)) == ENTRIES


@pytest.mark.parametrize(
    ("machine", "bits", "flags"),
    [(62, 64, 0x0303), (3, 32, 0x0003), (183, 64, 0x0A03), (40, 32, 0x0903), (62, 32, 0x0803), (21, 64, 0)],
)
def test_flags_are_those_of_the_machine(machine: int, bits: int, flags: int) -> None:
    assert ldcache.flags_for(machine, bits) == flags


def libcmp(a: str, b: str) -> int:
    """_dl_cache_libcmp of glibc's elf/dl-cache.c, step by step."""
    p, q = a.encode() + b"\0", b.encode() + b"\0"
    i = j = 0
    while p[i]:
        if chr(p[i]).isdigit() and chr(q[j]).isdigit():
            left = right = 0
            while chr(p[i]).isdigit():
                left, i = left * 10 + p[i] - 48, i + 1
            while chr(q[j]).isdigit():
                right, j = right * 10 + q[j] - 48, j + 1
            if signed(left) != signed(right):
                return signed(left) - signed(right)
        elif chr(p[i]).isdigit():
            return 1
        elif chr(q[j]).isdigit():
            return -1
        elif p[i] != q[j]:
            return p[i] - q[j]
        else:
            i, j = i + 1, j + 1
    return p[i] - q[j]


def signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


NAMES = st.text("ab-.019", max_size=8) | st.sampled_from(["lib9.so", "lib10.so", "lib3000000000.so", "lib-.so", "lib"])


@settings(max_examples=500, deadline=None)
@given(NAMES, NAMES)
def test_names_sort_as_the_loader_compares_them(a: str, b: str) -> None:
    order = libcmp(a, b)
    left, right = ldcache.sort_key(a), ldcache.sort_key(b)
    assert (left > right) - (left < right) == (order > 0) - (order < 0)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 0xFFFF), st.integers(0, 9), st.integers(0, 1 << 63))))
def test_any_entries_survive_being_written_and_read(entries: list[ldcache.Entry]) -> None:
    assert sorted(ldcache.parse(ldcache.render(entries))) == sorted(entries)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"", b"ld.so-1.7.0\0", b"glibc-ld.so.cache1.1"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    assert isinstance(ldcache.hwcap_folders(start + rest), tuple)
    with contextlib.suppress(FormatError):
        ldcache.parse(start + rest)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_cache_with_changed_bytes_is_read_or_refused(draw: st.DataObject) -> None:
    data = bytearray(ldcache.render(ENTRIES, ("x86-64-v3",)))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    assert isinstance(ldcache.hwcap_folders(bytes(data)), tuple)
    with contextlib.suppress(FormatError):
        ldcache.parse(bytes(data))
