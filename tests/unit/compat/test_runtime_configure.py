"""``nvidia-ctk runtime configure``: what NVIDIA's own writes into an engine's file, and nothing else of it changed."""

import json
import os
import stat
import tomllib

import pytest

from linkspan.compat import runtime_configure
from linkspan.compat.runtime_configure import Options
from linkspan.engines import change
from linkspan.engines.journal import Journal
from linkspan.engines.places import Host, locate
from linkspan.errors import ConfigError, KernelError
from tests.unit.engines import containerd_files, crio_files, docker_files
from tests.unit.engines.harness import parse

CONFIG = {"docker": "etc/docker/daemon.json", "containerd": "etc/containerd/config.toml"}
CRIO = "etc/crio/crio.conf.d/99-nvidia.toml"
PROGRAM = "/usr/bin/nvidia-container-runtime"


class Machine:
    """A root with an engine's files, and the command at work on it."""

    def __init__(self, root, capsys) -> None:
        self.root, self._capsys = root, capsys
        self.host = Host(root=str(root), env={"PATH": "/nowhere"})

    def configure(self, runtime="docker", **options):
        """What it prints, and what it says."""
        said = []
        runtime_configure.run(Options(runtime=runtime, **options), said.append, self.host)
        return self._capsys.readouterr().out, said

    def undo(self, engine, path):
        place = locate(engine, f"{self.root}/{path}", self.host)
        journal = Journal(self.host.state_folder, place)
        change.carry_out(change.plan_unconfigure(place, journal), journal)

    def write(self, path, text):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        return place

    def read(self, path):
        return (self.root / path).read_bytes().decode()


@pytest.fixture
def machine(tmp_path, capsys):
    return Machine(tmp_path, capsys)


def test_a_fresh_docker_gets_the_runtime_alone(machine):
    _, said = machine.configure()
    assert json.loads(machine.read(CONFIG["docker"])) == {"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}
    assert said[-2].startswith(f"wrote {machine.root}/etc/docker/daemon.json; 'linkspan engine unconfigure docker'")
    assert said[-1] == "it is recommended that the docker daemon be restarted"


def test_default_runtime_and_cdi_are_set_where_they_are_asked_for(machine):
    machine.write(CONFIG["docker"], '{"features": {"buildkit": true}, "debug": true}')
    machine.configure(set_as_default=True, cdi=True, runtime_name="gpu", runtime_path="/x")
    assert json.loads(machine.read(CONFIG["docker"])) == {
        "debug": True,
        "features": {"buildkit": True, "cdi": True},
        "default-runtime": "gpu",
        "runtimes": {"gpu": {"path": "/x"}},
    }


def test_a_fresh_containerd_gets_the_runtime_beside_its_own(machine):
    machine.configure("containerd", set_as_default=True, cdi=True)
    cri = tomllib.loads(machine.read(CONFIG["containerd"]))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["enable_cdi"] is True
    assert cri["containerd"]["default_runtime_name"] == "nvidia"
    assert cri["containerd"]["runtimes"]["nvidia"]["options"]["BinaryName"] == PROGRAM
    assert cri["containerd"]["runtimes"]["nvidia"]["runtime_type"] == "io.containerd.runc.v2"


def test_cri_o_gets_a_drop_in_of_nvidias_name(machine):
    machine.write("etc/crio/crio.conf", crio_files.PACKAGED)
    machine.configure("crio", set_as_default=True)
    runtime = tomllib.loads(machine.read(CRIO))["crio"]["runtime"]
    assert runtime["default_runtime"] == "nvidia"
    assert runtime["runtimes"]["nvidia"]["runtime_path"] == PROGRAM
    assert machine.read("etc/crio/crio.conf") == crio_files.PACKAGED


FILES = {"docker": docker_files.GOOD, "containerd": containerd_files.GOOD}


@pytest.mark.parametrize(("engine", "name"), [(engine, name) for engine in FILES for name in FILES[engine]])
def test_a_file_gets_the_runtime_once_and_comes_back_byte_for_byte(machine, engine, name):
    before, path = FILES[engine][name], CONFIG[engine]
    if before is not None:
        machine.write(path, before)
    machine.configure(engine)
    once = machine.read(path)
    assert once != before
    assert parse(engine, once)
    assert "nvidia-container-runtime" in once
    machine.configure(engine)
    assert machine.read(path) == once
    machine.undo(engine, path)
    assert (machine.root / path).exists() == (before is not None)
    assert before is None or machine.read(path) == before


@pytest.mark.parametrize("name", [name for name, text in docker_files.GOOD.items() if text])
def test_whatever_else_stood_in_dockers_file_stays(machine, name):
    before = parse("docker", docker_files.GOOD[name] or "")
    machine.write(CONFIG["docker"], docker_files.GOOD[name])
    machine.configure()
    after = parse("docker", machine.read(CONFIG["docker"]))
    assert after["runtimes"].pop("nvidia")["path"] == "nvidia-container-runtime"
    kept = {**before, "runtimes": {key: value for key, value in before.get("runtimes", {}).items() if key != "nvidia"}}
    assert after == kept


@pytest.mark.parametrize("name", docker_files.BROKEN)
def test_a_file_that_cannot_be_read_is_left_alone(machine, name):
    place = machine.write(CONFIG["docker"], docker_files.BROKEN[name])
    with pytest.raises(ConfigError):
        machine.configure()
    assert place.read_bytes().decode() == docker_files.BROKEN[name]


def test_a_read_only_file_is_left_alone(machine, monkeypatch):
    place = machine.write(CONFIG["docker"], "{}\n")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(KernelError, match="it is read-only"):
        machine.configure()
    assert place.read_text() == "{}\n"


def test_a_link_stays_and_what_it_leads_to_is_edited(machine):
    machine.write("srv/daemon.json", "{}\n")
    (machine.root / "etc/docker").mkdir(parents=True)
    (machine.root / CONFIG["docker"]).symlink_to("../../srv/daemon.json")
    machine.configure()
    assert stat.S_ISLNK((machine.root / CONFIG["docker"]).lstat().st_mode)
    assert "nvidia" in machine.read("srv/daemon.json")


def test_a_dry_run_prints_the_file_and_writes_nothing(machine):
    printed, said = machine.configure(dry_run=True)
    assert json.loads(printed)["runtimes"]["nvidia"]["path"] == "nvidia-container-runtime"
    assert said == []
    assert os.listdir(machine.root) == []


def test_an_entry_of_that_name_is_replaced_whatever_it_starts(machine):
    machine.write(CONFIG["docker"], '{"runtimes": {"nvidia": {"path": "/old", "runtimeArgs": ["-x"]}}}')
    machine.configure(runtime_path="/new")
    assert json.loads(machine.read(CONFIG["docker"]))["runtimes"]["nvidia"] == {"path": "/new", "runtimeArgs": ["-x"]}


def test_a_second_run_without_the_default_takes_that_back(machine):
    machine.write(CONFIG["containerd"], containerd_files.DUMPED)
    machine.configure("containerd", set_as_default=True)
    machine.configure("containerd")
    assert 'default_runtime_name = "nvidia"' not in machine.read(CONFIG["containerd"])


def test_another_file_may_be_named(machine):
    machine.configure(config=f"{machine.root}/other.json")
    assert "nvidia" in machine.read("other.json")
    assert not (machine.root / "etc").exists()


def test_a_drop_in_of_containerds_is_not_needed_and_that_is_said(machine):
    _, said = machine.configure("containerd", drop_in="/etc/containerd/conf.d/99-nvidia.toml")
    assert said[0].startswith("ignoring --drop-in-config: ")
    assert PROGRAM in machine.read(CONFIG["containerd"])


def test_without_a_drop_in_cri_os_own_file_is_edited(machine):
    machine.write("etc/crio/crio.conf", crio_files.PACKAGED)
    machine.configure("crio", drop_in="")
    assert PROGRAM in machine.read("etc/crio/crio.conf")


def test_the_oci_hook_is_printed_or_written(machine, tmp_path):
    printed, _ = machine.configure(config_mode="oci-hook", runtime_hook_path="/opt/nv/hook")
    assert json.loads(printed) == {
        "version": "1.0.0",
        "hook": {
            "path": "/opt/nv/hook",
            "args": ["hook", "prestart"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/nv"],
        },
        "when": {"always": True, "commands": [".*"]},
        "stages": ["prestart"],
    }
    place = tmp_path / "hooks.d/oci-nvidia-hook.json"
    machine.configure(config_mode="oci-hook", oci_hook_path=str(place))
    assert json.loads(place.read_text())["hook"]["path"] == "/usr/bin/nvidia-container-runtime-hook"
    assert json.loads(place.read_text())["hook"]["env"] == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ]
