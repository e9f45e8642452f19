import ctypes
import io
import platform

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import elf
from linkspan.sim.elfwriter import EM_386, EM_AARCH64, EM_ARM, EM_X86_64, shared_object

MACHINES = {EM_386: 32, EM_ARM: 32, EM_X86_64: 64, EM_AARCH64: 64}


def soname_by_our_reader(data: bytes) -> elf.Elf:
    return elf.read(lambda offset, length: data[offset : offset + length], len(data))


@pytest.mark.parametrize("machine", MACHINES)
def test_our_reader_finds_name_machine_and_width(machine: int) -> None:
    found = soname_by_our_reader(shared_object("libcuda.so.1", machine))
    assert (found.soname, found.machine, found.bits, found.needed) == ("libcuda.so.1", machine, MACHINES[machine], ())


@pytest.mark.parametrize("machine", MACHINES)
def test_a_reader_of_section_headers_finds_the_name_too(machine: int) -> None:
    image = ELFFile(io.BytesIO(shared_object("libGLX_nvidia.so.0", machine)))
    dynamic = image.get_section_by_name(".dynamic")
    assert [tag.soname for tag in dynamic.iter_tags("DT_SONAME")] == ["libGLX_nvidia.so.0"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the loader takes only libraries of its own machine")
@settings(max_examples=30, deadline=None)
@given(name=st.from_regex(r"lib[a-z]{1,200}\.so\.[0-9]{1,3}", fullmatch=True))
def test_the_loader_takes_it_whatever_the_length_of_its_name(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = tmp_path_factory.mktemp("library") / name
    path.write_bytes(shared_object(name))
    assert ctypes.CDLL(str(path))._name == str(path)


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(FormatError, match="machine 8"):
        shared_object("libcuda.so.1", 8)
