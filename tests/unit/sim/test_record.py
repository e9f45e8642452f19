import re
import struct
from importlib import resources

import pytest

from linkspan.errors import HostError
from linkspan.sim import record
from linkspan.sim.spec import SimSpec, gpus


def library() -> bytes:
    empty = record.MAGIC.ljust(32, b"\0") + struct.pack("<I", record.SIZE)
    return b"before" + empty.ljust(record.SIZE, b"\0") + b"after"


def test_the_record_takes_the_place_of_the_empty_one_and_nothing_else() -> None:
    packed = record.pack(gpus(SimSpec(gpus=2)), driver="550.163.01", root="/simulated")
    embedded = record.embed(library(), packed)
    assert embedded == b"before" + packed + b"after"
    assert record.embed(embedded, packed) == embedded


def test_the_record_names_the_host() -> None:
    packed = record.pack(gpus(SimSpec(gpus=2, mig=("1g.10gb",))), driver="550.163.01", root="/simulated")
    for text in (b"550.163.01", b"/simulated", b"NVIDIA H100 80GB HBM3", b"GPU-01000100", b"MIG-01000100", b"1g.10gb"):
        assert text + b"\0" in packed or text in packed
    assert len(packed) == record.SIZE


@pytest.mark.parametrize(
    "strange",
    [b"no record at all", library()[:-1000].replace(struct.pack("<I", record.SIZE), b"\1\0\0\0"), library() * 2],
)
def test_a_library_of_other_sources_is_refused(strange: bytes) -> None:
    with pytest.raises(HostError, match="other sources"):
        record.embed(strange, bytes(record.SIZE))


def test_a_root_too_long_for_the_record_is_refused() -> None:
    with pytest.raises(HostError, match="1023 bytes"):
        record.pack((), driver="550.163.01", root="/" + "x" * 1023)


def test_the_limits_are_those_of_the_c_sources() -> None:
    header = resources.files("linkspan.sim").joinpath("native", "host.h").read_text()
    found = dict(re.findall(r"#define (SIM_\w+) \"?([^\"\n/]*[^\"\n/ ])", header))
    assert found["SIM_MAGIC"].encode() == record.MAGIC
    assert int(found["SIM_MAX_GPUS"]) == record.MAX_GPUS
    assert int(found["SIM_MAX_MIG"]) == record.MAX_MIG


@pytest.mark.parametrize("name", ["libnvidia-ml.so", "libcuda.so"])
def test_the_compiled_libraries_take_the_record(name: str) -> None:
    compiled = resources.files("linkspan.sim").joinpath("native", name).read_bytes()
    packed = record.pack(gpus(SimSpec()), driver="550.163.01", root="/simulated")
    assert packed in record.embed(compiled, packed)
