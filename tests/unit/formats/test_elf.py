"""What an ELF file says of itself."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import elf
from linkspan.sim import elfwriter
from tests.elf import AARCH64, I386, X86_64, library

NOTE = b'{"Format":1,"CUDA Version":"13.0","Driver":[535,550],"Device":[1]}'


def preading(data: bytes) -> Callable[[int, int], bytes]:
    return lambda at, length: data[at : at + length]


def read(data: bytes) -> elf.Elf:
    return elf.read(preading(data), len(data))


def note_of(data: bytes) -> bytes | None:
    return elf.compat_note(preading(data), len(data))


@pytest.mark.parametrize(("bits", "machine"), [(64, X86_64), (32, I386), (64, AARCH64)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_name_machine_and_needs_are_read(bits: int, machine: int, order: str) -> None:
    found = read(library("libcuda.so.1", ["libm.so.6", "libc.so.6"], bits=bits, machine=machine, order=order))
    assert (found.soname, found.bits, found.machine) == ("libcuda.so.1", bits, machine)
    assert found.needed == ("libm.so.6", "libc.so.6")


def test_what_the_simulated_host_writes_is_read() -> None:
    found = read(elfwriter.shared_object("libcuda.so.1", elfwriter.EM_386))
    assert (found.soname, found.bits, found.machine, found.needed) == ("libcuda.so.1", 32, I386, ())


def test_a_file_without_a_soname_has_an_empty_one() -> None:
    assert read(library(needed=["libc.so.6"])).soname == ""


def test_a_file_without_a_dynamic_section_has_no_names() -> None:
    data = bytearray(library("libx.so.1"))
    data[64 + 56] = 4  # the second segment is no longer PT_DYNAMIC
    assert (read(bytes(data)).soname, read(bytes(data)).needed) == ("", ())


def test_a_dynamic_section_without_an_end_mark_ends_where_it_ends() -> None:
    data = bytearray(library("libx.so.1"))
    segment = 64 + 56
    length = int.from_bytes(data[segment + 32 : segment + 40], "little")
    data[segment + 32 : segment + 40] = (length - 9).to_bytes(8, "little")  # the end mark is cut off, and not evenly
    assert read(bytes(data)).soname == "libx.so.1"


def test_only_so_many_needs_are_read() -> None:
    names = [f"lib{number}.so" for number in range(elf.MAX_NEEDED + 9)]
    assert read(library("libx.so.1", names)).needed == tuple(names[: elf.MAX_NEEDED])


def test_a_library_is_not_read_whole() -> None:
    taken: list[int] = []
    data = library("libcuda.so.1", ["libc.so.6"]) + bytes(100_000)

    def pread(at: int, length: int) -> bytes:
        taken.append(length)
        return data[at : at + length]

    elf.read(pread, len(data))
    assert sum(taken) < 2000


@pytest.mark.parametrize("alignment", [1, 4, 8])
@pytest.mark.parametrize("bits", [64, 32])
def test_the_compatibility_note_is_read(bits: int, alignment: int) -> None:
    written = 4 if alignment == 1 else alignment
    data = bytearray(library("libcuda.so.1", bits=bits, note=NOTE + b"\0", alignment=written))
    assert note_of(bytes(data)) == NOTE
    if alignment == 1:  # no alignment means that of a note's words
        place = len(data) - 2 * (64 if bits == 64 else 40) + (48 if bits == 64 else 32)
        data[place] = 1
        assert note_of(bytes(data)) == NOTE


def test_a_library_without_the_note_says_nothing() -> None:
    assert note_of(library("libcuda.so.1")) is None
    assert note_of(elfwriter.shared_object("libcuda.so.1")) is None


def test_another_owners_note_says_nothing() -> None:
    assert note_of(library(note=NOTE, note_owner=b"GNU\0")) is None


def test_names_of_sections_that_are_not_there_say_nothing() -> None:
    data = bytearray(library(note=NOTE))
    data[62] = 9
    assert note_of(bytes(data)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"#!/bin/sh\n" * 10,
        b"\x7fELF\3" + bytes(60),
        b"\x7fELF\2\3" + bytes(60),
        library("libx.so.1")[:100],
        library("libx.so.1").partition(b".so.1")[0],
    ],
    ids=["empty", "magic alone", "script", "class", "order", "headers cut off", "name cut off"],
)
def test_what_is_no_whole_elf_file_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="this is not an ELF file that can be followed"):
        read(data)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (slice(54, 56), 55, "headers of 55 bytes"),
        (slice(56, 58), 0xFFFF, "claims 65535 headers"),
        (slice(32, 40), 1 << 63, "it leads to"),
        (slice(64 + 32, 64 + 40), 8, "its strings are not in the file"),
        (slice(64 + 56 + 32, 64 + 56 + 40), 1 << 40, "it leads to"),
    ],
    ids=["header size", "header count", "header place", "segment too short", "dynamic section too long"],
)
def test_numbers_that_lead_out_are_refused(place: slice, value: int, reason: str) -> None:
    data = bytearray(library("libx.so.1"))
    data[place] = value.to_bytes(place.stop - place.start, "little")
    with pytest.raises(FormatError, match=reason):
        read(bytes(data))


def test_a_name_too_long_for_a_file_is_refused() -> None:
    with pytest.raises(FormatError, match="has no end"):
        read(library("x" * (elf.MAX_NAME + 1)))


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    data = library("libx.so.1")
    with pytest.raises(FormatError, match="ends too early"):
        elf.read(preading(data[:80]), len(data))


@pytest.mark.parametrize("cut", [b"", b"\x0b\0\0\0"], ids=["no room for a note", "a note longer than its section"])
def test_a_note_that_is_cut_off_is_refused(cut: bytes) -> None:
    data = bytearray(library(note=NOTE))
    length = len(data) - 2 * 64 + 32
    data[length : length + 8] = (8 if not cut else 40).to_bytes(8, "little")
    with pytest.raises(FormatError, match="note is cut off"):
        note_of(bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 5))
def test_any_bytes_are_read_or_refused(tail: bytes, kind: int) -> None:
    data = bytes([0x7F, 0x45, 0x4C, 0x46, kind // 2, kind % 2 + 1]) + tail
    for function in (read, note_of):
        try:
            function(data)
        except FormatError:
            continue


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_library_with_changed_bytes_is_read_or_refused(draw: st.DataObject) -> None:
    data = bytearray(library("libcuda.so.1", ["libc.so.6"], note=NOTE, bits=draw.draw(st.sampled_from([32, 64]))))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    for function in (read, note_of):
        try:
            function(bytes(data))
        except FormatError:
            continue
