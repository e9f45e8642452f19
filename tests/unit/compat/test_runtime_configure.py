"""``nvidia-ctk runtime configure``: what NVIDIA's own writes into an engine's file, and nothing else of it changed."""

import json
import os
import stat
import tomllib

import pytest

from linkspan.cli import engine as cli_engine
from linkspan.cli import main
from linkspan.compat import runtime_configure
from linkspan.compat.runtime_configure import Options
from linkspan.engines import change, daemon
from linkspan.engines.daemon import Running
from linkspan.engines.journal import Journal
from linkspan.engines.places import Host, locate
from linkspan.errors import ConfigError, KernelError
from tests.unit.engines import containerd_files, crio_files, docker_files
from tests.unit.engines.harness import parse

CRIO = "etc/crio/crio.conf.d/99-nvidia.toml"
CONFIG = {"docker": "etc/docker/daemon.json", "containerd": "etc/containerd/config.toml", "crio": CRIO}
EMPTY = {"docker": "{}\n", "containerd": "version = 2\n", "crio": "# ours\n"}
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

    def view(self, engine, path=""):
        """What the engine's file says."""
        place = locate(engine, f"{self.root}/{path or CONFIG[engine]}", self.host)
        return place.of.view(place.of.SYNTAX.parse(self.read(path or CONFIG[engine]), place.target))

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


def files(root):
    """The configuration files below a root."""
    return [path for path in root.rglob("*") if path.is_file() and "var/lib" not in str(path)]


@pytest.fixture
def machine(tmp_path, capsys):
    return Machine(tmp_path, capsys)


def test_a_fresh_docker_gets_the_runtime_alone(machine):
    _, said = machine.configure()
    assert json.loads(machine.read(CONFIG["docker"])) == {"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}
    assert said[-3:-1] == [
        f"wrote {machine.root}/etc/docker/daemon.json",
        "'linkspan engine unconfigure docker' takes it back",
    ]
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


FILES = {"docker": docker_files.GOOD, "containerd": containerd_files.GOOD, "crio": crio_files.GOOD}


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


BROKEN = {
    "docker": docker_files.BROKEN,
    "containerd": containerd_files.BROKEN,
    "crio": crio_files.BROKEN,
}


@pytest.mark.parametrize(("engine", "name"), [(engine, name) for engine in BROKEN for name in BROKEN[engine]])
def test_a_file_that_cannot_be_read_is_left_alone(machine, engine, name):
    place = machine.write(CONFIG[engine], BROKEN[engine][name])
    with pytest.raises(ConfigError):
        machine.configure(engine)
    assert place.read_bytes().decode() == BROKEN[engine][name]


def test_a_broken_main_file_of_cri_os_gets_no_drop_in(machine):
    main_file = machine.write("etc/crio/crio.conf", "[crio.runtime\n")
    with pytest.raises(ConfigError):
        machine.configure("crio")
    assert files(machine.root) == [main_file]


@pytest.mark.parametrize("engine", CONFIG)
def test_a_read_only_file_is_left_alone(machine, monkeypatch, engine):
    place = machine.write(CONFIG[engine], EMPTY[engine])
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(KernelError, match="it is read-only"):
        machine.configure(engine)
    assert place.read_text() == EMPTY[engine]


@pytest.mark.parametrize("engine", CONFIG)
def test_a_link_stays_and_what_it_leads_to_is_edited(machine, engine):
    machine.write("srv/file", EMPTY[engine])
    link = machine.root / CONFIG[engine]
    link.parent.mkdir(parents=True)
    link.symlink_to("../" * CONFIG[engine].count("/") + "srv/file")
    machine.configure(engine)
    assert stat.S_ISLNK(link.lstat().st_mode)
    assert "nvidia" in machine.read("srv/file")
    machine.undo(engine, CONFIG[engine])
    assert machine.read("srv/file") == EMPTY[engine]


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("docker", {}),
        ("docker", {"config": "other/daemon.json"}),
        ("containerd", {}),
        ("crio", {}),
        ("crio", {"config": "other/crio.conf"}),
        ("crio", {"drop_in": "other/nvidia.toml"}),
        ("crio", {"config": "other/crio.conf", "drop_in": ""}),
    ],
)
def test_the_command_that_it_names_takes_it_back(machine, monkeypatch, engine, options):
    monkeypatch.setattr(cli_engine, "this_host", lambda: machine.host)
    options = {name: path and f"{machine.root}/{path}" for name, path in options.items()}
    _, said = machine.configure(engine, **options)
    assert files(machine.root)
    command = said[-2].split("'")[1].split()
    assert command[:2] == ["linkspan", "engine"]
    assert main.run(command[1:]) == 0
    assert not files(machine.root)


def test_a_dry_run_prints_the_file_and_writes_nothing(machine):
    printed, said = machine.configure(dry_run=True)
    assert json.loads(printed)["runtimes"]["nvidia"]["path"] == "nvidia-container-runtime"
    assert said == [f"{machine.root}/etc/docker/daemon.json does not exist, and is taken for an empty one"]
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


def test_what_docker_was_told_once_stays_as_the_toolkit_leaves_it(machine):
    machine.configure(set_as_default=True, cdi=True)
    once = machine.read(CONFIG["docker"])
    machine.configure()
    assert machine.read(CONFIG["docker"]) == once


SEVERAL = {
    "docker": docker_files.GOOD["two other runtimes"],
    "containerd": containerd_files.DUMPED,
    "crio": "# ours\n[crio.runtime]\nlog_level = 'info'\n",
}


@pytest.mark.parametrize("engine", SEVERAL)
def test_runtimes_of_several_names_stand_beside_each_other_and_go_together(machine, engine):
    before = SEVERAL[engine]
    machine.write(CONFIG[engine], before)
    machine.configure(engine, set_as_default=True)
    machine.configure(engine, runtime_name="nvidia-cdi", runtime_path="/usr/bin/nvidia-container-runtime.cdi")
    both = machine.read(CONFIG[engine])
    machine.configure(engine, set_as_default=True)
    assert machine.read(CONFIG[engine]) == both
    view = machine.view(engine)
    assert {"nvidia", "nvidia-cdi"} <= view.runtimes.keys()
    assert view.default == "nvidia"
    machine.undo(engine, CONFIG[engine])
    assert machine.read(CONFIG[engine]) == before


def test_of_several_runtimes_the_last_that_is_to_be_the_default_is_it(machine):
    machine.configure(set_as_default=True)
    machine.configure(set_as_default=True, runtime_name="gpu")
    machine.configure()
    assert machine.view("docker").default == "gpu"


def test_what_others_changed_between_two_runs_outlives_both(machine):
    machine.write(CONFIG["docker"], '{"debug": true}')
    machine.configure()
    machine.write(CONFIG["docker"], machine.read(CONFIG["docker"]).replace("true", "false"))
    machine.configure(runtime_name="gpu")
    machine.undo("docker", CONFIG["docker"])
    assert json.loads(machine.read(CONFIG["docker"])) == {"debug": False}


def test_a_user_without_root_gets_no_file_of_their_own_changed_unless_they_name_it(machine):
    home = {"HOME": f"{machine.root}/home", "PATH": "/nowhere"}
    machine.host = Host(root=str(machine.root), uid=1000, env=home)
    machine.configure(dry_run=False)
    assert "nvidia" in machine.read(CONFIG["docker"])
    assert not (machine.root / "home/.config").exists()
    _, said = machine.configure(config=f"{machine.root}/home/.config/docker/daemon.json")
    assert "nvidia" in machine.read("home/.config/docker/daemon.json")
    assert f"unconfigure docker --config {machine.root}/home/.config/docker/daemon.json'" in said[-2]


def test_what_dockerd_is_told_by_its_command_line_is_not_said_twice(machine, monkeypatch):
    running = Running(pid=1, argv=("dockerd", "--add-runtime", "nvidia=/x"), started=0)
    monkeypatch.setattr(daemon, "find", lambda *_: running)
    with pytest.raises(ConfigError, match="dockerd runs with --add-runtime"):
        machine.configure()
    assert os.listdir(machine.root) == []


@pytest.mark.parametrize("engine", ["containerd", "crio"])
def test_ours_in_usr_local_is_taken_where_there_is_none_in_usr(machine, engine):
    path = CONFIG[engine]
    _, said = machine.configure(engine)
    assert any(note.startswith(f"the runtime {PROGRAM} is not there") for note in said)
    machine.write("usr/local/bin/nvidia-container-runtime", "").chmod(0o755)
    _, said = machine.configure(engine)
    assert machine.view(engine, path).runtimes["nvidia"] == "/usr/local/bin/nvidia-container-runtime"
    assert not any("is not there" in note for note in said)
    machine.write(PROGRAM.removeprefix("/"), "").chmod(0o755)
    machine.configure(engine)
    assert machine.view(engine, path).runtimes["nvidia"] == PROGRAM


@pytest.mark.parametrize("options", [{}, {"drop_in": "dropped/99-nvidia.toml"}])
def test_cri_os_entry_is_like_that_of_the_file_that_is_named(machine, options):
    crun = '[crio.runtime.runtimes.crun]\nruntime_path = "/opt/crun"\nmonitor_path = "/opt/conmon"\n'
    main = machine.write("srv/crio.conf", crun)
    options = {name: f"{machine.root}/{path}" for name, path in options.items()}
    machine.configure("crio", config=str(main), **options)
    written = machine.read("dropped/99-nvidia.toml" if options else CRIO)
    assert tomllib.loads(written)["crio"]["runtime"]["runtimes"]["nvidia"] == {
        "runtime_path": PROGRAM,
        "runtime_type": "oci",
        "monitor_path": "/opt/conmon",
    }
    assert main.read_text() == crun


def test_another_file_may_be_named(machine):
    machine.configure(config=f"{machine.root}/other.json")
    assert "nvidia" in machine.read("other.json")
    assert not (machine.root / "etc").exists()


def test_a_file_that_k3s_makes_anew_is_told(machine):
    _, said = machine.configure("containerd", config=f"{machine.root}/rancher/k3s/agent/config.toml")
    assert [line.partition("; ")[2] for line in said if "anew at each start" in line] == [
        "'linkspan engine configure k3s' lasts"
    ]
    assert not any("anew at each start" in line for line in machine.configure("containerd")[1])


def test_a_drop_in_of_containerds_is_not_needed_and_that_is_said(machine):
    _, said = machine.configure("containerd", drop_in="/etc/containerd/conf.d/99-nvidia.toml")
    assert said[0].startswith("ignoring --drop-in-config: ")
    assert PROGRAM in machine.read(CONFIG["containerd"])


def test_without_a_drop_in_cri_os_own_file_is_edited(machine):
    machine.write("etc/crio/crio.conf", crio_files.PACKAGED)
    machine.configure("crio", drop_in="")
    assert PROGRAM in machine.read("etc/crio/crio.conf")


def test_what_is_printed_ends_its_last_line(machine):
    machine.write(CONFIG["docker"], '{"debug": true}')
    assert machine.configure(dry_run=True)[0].endswith("}\n")


def test_a_user_is_not_given_a_docker_of_their_own(machine):
    """A rootless Docker's file has to be named, as for the toolkit."""
    machine.host = Host(root=str(machine.root), uid=1000, env={"HOME": f"{machine.root}/home", "PATH": "/nowhere"})
    machine.configure(config=f"{machine.root}/mine.json")
    assert "nvidia" in machine.read("mine.json")
    machine.configure()
    assert "nvidia" in machine.read(CONFIG["docker"])
    assert not (machine.root / "home/.config").exists()


DUMP = """version = 3
[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
sandboxer = "podsandbox"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
"""


@pytest.mark.allow_subprocess  # of scripts that the test writes
class TestSourceCommand:
    def program(self, machine, name, text, code=0):
        place = machine.write(f"bin/{name}", f"#!/bin/sh\n/bin/cat <<'END'\n{text}END\necho $* >&2\nexit {code}\n")
        place.chmod(0o755)
        machine.host = Host(root=str(machine.root), env={"PATH": f"{machine.root}/bin"})
        return str(place)

    def test_containerd_tells_what_its_file_leaves_out(self, machine):
        self.program(machine, "containerd", DUMP)
        machine.configure("containerd", config_source="command")
        cri = tomllib.loads(machine.read(CONFIG["containerd"]))["plugins"]["io.containerd.grpc.v1.cri"]
        assert cri["containerd"]["runtimes"]["nvidia"] == {
            "runtime_type": "io.containerd.runc.v2",
            "sandboxer": "podsandbox",
            "options": {"SystemdCgroup": True, "BinaryName": PROGRAM},
        }

    def test_the_program_of_another_place_is_asked(self, machine):
        other = self.program(machine, "../opt/containerd", DUMP)
        self.program(machine, "containerd", "", code=1)
        machine.configure("containerd", config_source="command", executable_path=other)
        assert "podsandbox" in machine.read(CONFIG["containerd"])

    def test_cri_o_of_older_versions_has_a_program_for_that(self, machine):
        self.program(machine, "crio", "", code=1)
        self.program(machine, "crio-status", crio_files.PACKAGED)
        machine.configure("crio", config_source="command")
        entry = tomllib.loads(machine.read(CRIO))["crio"]["runtime"]["runtimes"]["nvidia"]
        assert entry["monitor_path"] == "/usr/libexec/crio/conmon"

    def test_an_engine_that_does_not_answer_changes_nothing(self, machine):
        self.program(machine, "containerd", "", code=1)
        with pytest.raises(KernelError, match="containerd"):
            machine.configure("containerd", config_source="command")
        self.program(machine, "containerd", "no TOML\n")
        with pytest.raises(ConfigError, match="the output of 'containerd config dump'"):
            machine.configure("containerd", config_source="command")
        assert not (machine.root / "etc").exists()


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
