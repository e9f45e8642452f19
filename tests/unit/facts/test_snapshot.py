import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError, HostError, KernelError
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts
from tests import hosts


def test_the_recorded_host_is_read_as_it_was(tmp_path):
    entries = hosts.listing()
    facts = hosts.golden(tmp_path)
    recorded = hosts.report()
    assert facts.platform == "nvml"
    assert facts.driver.version == recorded.driver_version
    assert facts.driver.cuda_version == recorded.cuda_version
    assert facts.driver.conflict == ""
    assert [(gpu.index, gpu.minor, gpu.uuid, gpu.pci_bus_id, gpu.path) for gpu in facts.gpus] == [
        (gpu.index, gpu.minor, gpu.uuid, gpu.pci_bus_id, f"/dev/nvidia{gpu.minor}") for gpu in recorded.gpus
    ]
    nodes = {(entry["path"], entry["major"], entry["minor"]) for entry in entries if entry["type"] == "char"}
    assert {(node.path, node.major, node.minor) for node in facts.devices} == nodes
    assert facts.library_folders == ("/usr/lib/x86_64-linux-gnu",)


def test_every_library_and_link_of_the_recorded_host_is_found(tmp_path):
    entries = hosts.listing()
    facts = hosts.golden(tmp_path)
    libraries = {(entry["path"], entry["soname"]) for entry in entries if entry.get("soname")}
    assert {(library.path, library.soname) for library in facts.libraries} == libraries
    links = {(entry["path"], entry["target"]) for entry in entries if entry["type"] == "symlink"}
    assert {(link.path, link.target) for library in facts.libraries for link in library.links} == links


def test_every_other_file_of_the_recorded_host_that_a_container_needs_is_found(tmp_path):
    facts = hosts.golden(tmp_path)
    found = [*facts.binaries, *facts.firmware, *facts.configs]
    unneeded = {
        "/etc/ld.so.cache",
        "/usr/bin/nvidia-modprobe",
        "/usr/bin/script",
        "/usr/share/nvidia/nvidia-application-profiles-550.163.01-rc",
    }
    files = {entry["path"] for entry in hosts.listing() if entry["type"] == "file" and "soname" not in entry}
    assert {item.path for item in found} == files - unneeded
    assert all(item.host_path == f"{tmp_path}{item.path}" for item in found)


def test_saved_facts_are_read_back_as_they_were(tmp_path):
    facts = hosts.golden(tmp_path / "root")
    snapshot.save(facts, str(tmp_path / "facts.json"))
    assert snapshot.load(str(tmp_path / "facts.json")) == facts


def test_the_saved_form_names_its_format_and_every_part(tmp_path):
    document = msgspec.json.decode(snapshot.dumps(hosts.look(tmp_path)))
    assert document["format"] == 1
    assert document["gpus"] == []
    assert set(document) == set(HostFacts.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.json is not a saved host: input data was truncated"),
        ("[]", "f.json is not a saved host: expected `object`, got `array`"),
        ("{}", "f.json is not a saved host: object missing required field `format`"),
        ('{"format": 99}', "f.json has format 99, and this linkspan reads 1"),
        ('{"format": 1, "colour": 1}', "f.json is not a saved host: object contains unknown field `colour`"),
        ('{"format": 1, "gpus": [{"index": "x"}]}', r"expected `int`, got `str` - at `\$\.gpus\[0\]\.index`"),
    ],
)
def test_what_is_no_saved_host_is_refused_with_the_address(text, message):
    with pytest.raises(FormatError, match=message) as caught:
        snapshot.loads(text, "f.json")
    assert caught.value.subject == "f.json"
    assert caught.value.hint


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.text().map(lambda text: b'{"format": 1, "kernel": "' + text.encode() + b'"}')))
def test_no_bytes_lead_to_anything_but_facts_or_a_format_error(data):
    try:
        facts = snapshot.loads(data)
    except FormatError as error:
        assert "saved facts" in error.message
    else:
        assert snapshot.loads(snapshot.dumps(facts)) == facts


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(HostError, match=r"cannot read .*/gone: no such file"):
        snapshot.load(f"{tmp_path}/gone")
    with pytest.raises(KernelError, match="no/folder"):
        snapshot.save(HostFacts(), f"{tmp_path}/no/folder/facts.json")


@pytest.mark.allow_subprocess
def test_a_simulated_host_is_read_through_its_own_nvml(sim_host):
    facts = snapshot.collect(snapshot.Search(root=sim_host))
    assert facts.root == facts.dev_root == sim_host
    assert facts.driver.readings == dict.fromkeys(("proc", "nvml", "library"), "550.163.01")
    assert [gpu.index for gpu in facts.gpus] == [0, 1, 2, 3]
    assert all(gpu.path and gpu.uuid.startswith("GPU-") and gpu.architecture == "Hopper" for gpu in facts.gpus)
    assert [item for item in facts.missing if not item.optional] == []
    assert facts.majors["nvidia-uvm"] == next(node.major for node in facts.devices if node.path == "/dev/nvidia-uvm")


@pytest.mark.allow_subprocess
def test_our_own_environment_does_not_reach_the_driver(sim_host, monkeypatch, tmp_path):
    monkeypatch.setenv("LD_PRELOAD", f"{tmp_path}/evil.so")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "pynvml.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert len(snapshot.collect(snapshot.Search(root=sim_host)).gpus) == 4
    assert not os.path.exists(tmp_path / "ran")
