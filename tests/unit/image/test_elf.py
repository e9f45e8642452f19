import io
import re
import struct
import subprocess

import pytest
from elftools.elf.elffile import ELFFile

from linkspan.image import elf, fatbin, limits
from linkspan.image.source import open_image
from linkspan.sim import elfwriter
from tests.linked_elf import AARCH64, CUDA, I386, X86_64, container, fat_binary, linked
from tests.unit.image import writer

CODE = container(
    (2, 80, 0x11, bytes(100)), (2, 90, 0x100011, b"x" * 40), (2, 100, 0x200011, b""), (1, 90, 0x11, b"ptx")
)
NAMES = ("sm_80", "sm_90a", "sm_100f", "compute_90")


def _object(loaded, apart=b"", section=b"__nv_relfatbin"):
    """A 64-bit ELF file with a segment that holds all, and one section with a name."""
    names = b"\0" + section + b"\0"
    start = 64 + 56
    at = start + len(loaded) + len(apart)
    sections = at + len(names)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, sections, 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack("<2I6Q", 1, 4, 0, 0, 0, at, at, 4096)
    rows = [
        (0,) * 10,
        (1, 1, 2, 0, start + len(loaded), len(apart), 0, 0, 8, 0),
        (0, 3, 0, 0, at, len(names), 0, 0, 1, 0),
    ]
    return head + segment + loaded + apart + names + b"".join(struct.pack("<IIQQQQIIQQ", *row) for row in rows)


def _read(data):
    finder = fatbin.Finder()
    finder.add(data)
    return elf.read(lambda at, length: data[at : at + length], len(data), lambda: finder.places)


def test_architectures_are_those_of_all_containers_wherever_they_lie():
    found = _read(_object(b"12345678" + CODE + bytes(13) + container((2, 75, 0x11, b"")) + b"rest"))
    assert found.architectures == ("sm_75", *NAMES)
    assert _read(_object(b"no code")).architectures == ()


def test_code_that_is_kept_for_linking_is_not_counted():
    only_linking = container((1, 52, 0, b"ptx"))
    assert _read(_object(CODE, only_linking)).architectures == NAMES
    assert _read(_object(CODE, only_linking, b".data")).architectures == (*NAMES[:3], "compute_52", "compute_90")


def test_a_container_within_the_payload_of_another_is_not_an_own_one():
    inner = container((2, 50, 0, b""))
    assert _read(_object(container((2, 80, 0, inner)))).architectures == ("sm_80",)


@pytest.mark.parametrize(
    "data",
    [
        CODE[:8] + b"\xff" * 8 + CODE[16:],  # larger than the file
        CODE[:8] + bytes(8) + CODE[16:],
        CODE[:18] + b"\xff" + CODE[19:],  # no entry's mark
        CODE[:20] + bytes(4) + CODE[24:],  # a header of no size
        CODE[:44] + b"\xff\xff" + CODE[46:],  # architecture 65535
        CODE[:16],
    ],
)
def test_what_only_starts_like_gpu_code_is_none(data):
    assert "sm_80" not in _read(_object(data)).architectures


def test_a_start_is_found_wherever_chunks_end():
    data = b"ab" + CODE + b"c" + CODE
    for size in (1, 3, 7, 8, 9, 64, len(data)):
        finder = fatbin.Finder()
        for at in range(0, len(data), size):
            finder.add(data[at : at + size])
        assert finder.places == [2, 3 + len(CODE)]


def test_a_library_too_large_for_memory_is_read_the_same(tmp_path):
    large = _object(bytes(limits.IN_MEMORY) + CODE + bytes(3 << 20) + CODE)
    path = writer.write_layout(f"{tmp_path}/image", [writer.layer({"lib.so": large, "after": "x"})])
    image = open_image(path)
    assert image.entries["/lib.so"].elf == _read(large)
    assert image.entries["/lib.so"].elf.architectures == NAMES
    assert image.entries["/after"].size == 1


@pytest.mark.parametrize("machine", [elfwriter.EM_386, elfwriter.EM_X86_64, elfwriter.EM_AARCH64])
def test_names_are_those_that_another_reader_finds(machine):
    data = elfwriter.shared_object("libx.so.1", machine, ("libc.so.6", "libm.so.6"))
    found = _read(data)
    other = ELFFile(io.BytesIO(data)).get_section_by_name(".dynamic")
    tags = [tag for tag in other.iter_tags() if tag.entry.d_tag in ("DT_NEEDED", "DT_SONAME")]
    assert (
        found.needs == tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED") == ("libc.so.6", "libm.so.6")
    )
    assert found.soname == next(tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME")
    assert (found.machine, found.bits) == (machine, elfwriter.WORD_OF_MACHINE[machine])


def test_versions_interpreter_and_path_are_those_of_a_real_program(tmp_path):
    import sys

    with open(sys.executable, "rb") as file:
        data = file.read()
        sections = ELFFile(file)
        needs = sections.get_section_by_name(".gnu.version_r")
        versions = {one.name: tuple(aux.name for aux in auxiliaries) for one, auxiliaries in needs.iter_versions()}
        interpreter = sections.get_section_by_name(".interp").data().rstrip(b"\0").decode()
    found = _read(data)
    assert found.versions == versions
    assert found.interpreter == interpreter
    assert any(name.startswith("GLIBC_") for name in found.versions["libc.so.6"])


@pytest.mark.parametrize(("machine", "bits"), [(X86_64, 64), (I386, 32), (AARCH64, 64), (CUDA, 64)])
@pytest.mark.parametrize("tag", ["runpath", "rpath"])
def test_every_part_of_a_linked_file_is_what_readelf_finds(tmp_path, machine, bits, tag):
    versions = {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34"), "libstdc++.so.6": ("GLIBCXX_3.4.32",)}
    data = linked(
        "libx.so.1",
        ["libc.so.6", "libstdc++.so.6"],
        machine=machine,
        bits=bits,
        interpreter="/lib/ld.so",
        versions=versions,
        code=fat_binary("sm_80", "sm_90a", "sm_100f", "compute_90"),
        **{tag: "$ORIGIN/../lib:/opt"},
    )
    (tmp_path / "lib.so").write_bytes(data)
    command = ["readelf", "--wide", "--headers", "--dynamic", "--version-info", f"{tmp_path}/lib.so"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told, found = done.stdout, _read(data)
    assert done.stderr == ""  # nothing of it is odd
    assert found.needs == tuple(re.findall(r"Shared library: \[(.*)\]", told)) == tuple(versions)
    assert [found.soname] == re.findall(r"soname: \[(.*)\]", told) == ["libx.so.1"]
    assert [getattr(found, tag)] == re.findall(rf"{tag}: \[(.*)\]", told) == ["$ORIGIN/../lib:/opt"]
    assert [found.interpreter] == re.findall(r"interpreter: (.*)\]", told) == ["/lib/ld.so"]
    assert found.versions == versions
    assert re.findall(r"File: (\S+)|Name: (\S+)", told) == [
        pair for library, names in versions.items() for pair in ((library, ""), *(("", name) for name in names))
    ]
    assert f"ELF{bits}" in told
    assert " .nv_fatbin " in told
    assert (found.machine, found.bits, found.architectures) == (machine, bits, NAMES)


def test_a_file_of_which_only_the_header_can_be_followed_says_machine_and_bits():
    data = bytearray(elfwriter.shared_object("libx.so.1"))
    del data[300:]
    found = _read(bytes(data))
    assert (found.machine, found.bits, found.soname) == (62, 64, "")
    assert _read(b"\x7fELF\2\1\1") is None
    assert _read(b"\x7fELF" + bytes(200)) is None
