import json
import os

import pytest

from linkspan.check import subjects
from linkspan.errors import FormatError, KernelError, LinkspanError, RequestError
from tests import hosts

ID = "3f8c1a" * 10 + "abcd"
MOUNTINFO = (
    "22 1 0:30 / / rw - overlay overlay rw,lowerdir=/x\n"
    "23 22 8:1 /usr/lib/libcuda.so.550.1 /usr/lib/libcuda.so.550.1 ro,nosuid - ext4 /dev/sda1 rw\n"
    "24 22 0:5 / /dev rw - tmpfs tmpfs rw\n"
)


@pytest.fixture
def proc(tmp_path):
    """A /proc with process 7, in the container ``ID``, and process 8, which is in none."""
    for number, cgroup in ((7, f"0::/system.slice/docker-{ID}.scope\n"), (8, "0::/user.slice\n")):
        tree = {
            f"/{number}/mountinfo": MOUNTINFO,
            f"/{number}/cgroup": cgroup,
            f"/{number}/exe": "-> /usr/bin/python3.11",
            f"/{number}/root/etc/x": "x",
        }
        hosts.make(tmp_path / "proc", tree)
    return f"{tmp_path}/proc"


@pytest.fixture(autouse=True)
def no_engines(tmp_path, monkeypatch):
    """A PATH with no engine in it."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    return tmp_path / "bin"


def engine(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_folder_is_a_root(tmp_path):
    (tmp_path / "root").mkdir()
    found = subjects.find(f"{tmp_path}/root")
    assert found == subjects.Root(f"{tmp_path}/root", "folder", {})


def test_a_process_is_its_root_with_its_mounts_and_its_program(proc):
    found = subjects.find("7", proc)
    assert (found.path, found.kind) == (f"{proc}/7/root", "container")
    assert set(found.mounts) == {"/usr/lib/libcuda.so.550.1", "/dev"}
    assert [(piece.part, piece.path) for piece in found.known] == [("application", "/usr/bin/python3.11")]


def test_a_container_is_found_by_its_id_whatever_engine_started_it(proc):
    assert subjects.find(ID[:12], proc).path == f"{proc}/7/root"
    assert subjects.find(ID, proc).path == f"{proc}/7/root"


@pytest.mark.allow_subprocess
def test_a_container_is_found_by_its_name_where_an_engine_knows_it(proc, no_engines):
    engine(no_engines, "docker", "exit 1")
    engine(no_engines, "podman", '[ "$6" = trainer ] && echo 7')
    assert subjects.find("trainer", proc).path == f"{proc}/7/root"


@pytest.mark.allow_subprocess
@pytest.mark.parametrize("answer", ["echo 0", "echo no", "exit 3", "echo", "kill -9 $$"])
def test_an_engine_that_knows_no_such_container_is_not_believed(proc, no_engines, answer):
    engine(no_engines, "docker", answer)
    with pytest.raises(RequestError, match="there is no running container trainer"):
        subjects.find("trainer", proc)


@pytest.mark.parametrize(
    ("name", "message"), [("99", "no process 99"), ("/no/such", "no folder /no/such"), ("--help", "no running")]
)
def test_what_is_not_there_is_said(proc, no_engines, name, message):
    engine(no_engines, "docker", "echo 7")
    if name == "--help":
        assert os.listdir(no_engines) == ["docker"]  # and is not asked, as it would take the name for an option
    with pytest.raises(RequestError, match=message):
        subjects.find(name, proc)


def test_a_process_that_may_not_be_looked_at_is_said(proc):
    os.unlink(f"{proc}/7/exe")
    with pytest.raises(KernelError, match="cannot look at process 7: no such file"):
        subjects.find("7", proc)


def bundle(folder, config):
    text = config if isinstance(config, str) else json.dumps(config)
    return hosts.make(folder, {"/config.json": text, "/rootfs/etc/x": "x", "/other/x": "x"})


def test_a_bundle_is_its_root_with_what_it_brings_across(tmp_path):
    hosts.make(tmp_path / "host", {"/libcuda.so.550.1.2": hosts.library("libcuda.so.1"), "/data": "x"})
    mounts = [
        {"destination": "/usr/lib/libcuda.so.550.1.2", "source": f"{tmp_path}/host/libcuda.so.550.1.2"},
        {"destination": "/usr/lib/libnvidia-ml.so.550.1.2", "source": f"{tmp_path}/host/not-there"},
        {"destination": "/data", "source": f"{tmp_path}/host/data"},
        {"destination": 5},
        "nonsense",
    ]
    devices = [{"path": "/dev/nvidia0"}, {"path": "/dev/null"}, {}, 5]
    config = {"process": {"args": ["/bin/app", "x"]}, "mounts": mounts, "linux": {"devices": devices}}
    found = subjects.find(bundle(tmp_path / "b", config))
    assert (found.path, found.kind) == (f"{tmp_path}/b/rootfs", "bundle")
    assert [(piece.path, piece.kind, piece.whose) for piece in found.known] == [
        ("/bin/app", "file", "image"),
        ("/usr/lib/libcuda.so.550.1.2", "file", "host"),
        ("/dev/nvidia0", "node", "host"),
    ]


def test_a_bundle_names_its_root(tmp_path):
    assert subjects.find(bundle(tmp_path / "b", {"root": {"path": "other"}})).path == f"{tmp_path}/b/other"
    with pytest.raises(RequestError, match=r"root .*/b/gone is not there"):
        subjects.find(bundle(tmp_path / "b", {"root": {"path": "gone"}}))


@pytest.mark.parametrize("text", ["{", "", "\xff"])
def test_a_bundle_that_is_no_json_is_said(tmp_path, text):
    with pytest.raises(FormatError, match="is not JSON"):
        subjects.find(bundle(tmp_path / "b", text))


@pytest.mark.parametrize(
    "config", [[], 5, {"process": 5}, {"mounts": 5, "linux": []}, {"root": {"path": 5}}, {"process": {"args": [None]}}]
)
def test_a_bundle_of_another_shape_breaks_nothing(tmp_path, config):
    try:
        assert subjects.find(bundle(tmp_path / "b", config)).known == ()
    except LinkspanError as error:
        assert "is not" in error.message
