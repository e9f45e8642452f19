"""``linkspan host``, on trees, and for users who are not root."""

import json
import os
import subprocess

import pytest

from linkspan.cli import host, main
from linkspan.setup.journal import Entry, Journal
from linkspan.sim import create
from linkspan.sim.spec import SimSpec
from tests.unit.setup import trees
from tests.unit.setup.fake_host import FakeHost


@pytest.fixture
def run(capsys):
    def call(*argv):
        code = main.run(["host", *argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def root(tmp_path):
    return trees.put(tmp_path / "host", trees.tree("debian-12", ["Hopper", "Hopper"]))


def test_setup_prints_the_plan_as_commands_that_can_be_copied(run, root):
    code, out, err = run("setup", "--root", root)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "apt-get install -y linux-headers-6.1.0-37-amd64" in lines
    assert "linkspan engine configure docker --restart" in lines
    assert "2 Hopper GPU" in out


def test_setup_changes_nothing(run, root):
    before = subprocess.run(["find", root, "-printf", "%p %T@ %s\\n"], capture_output=True, check=True).stdout
    for options in ([], ["--json"], ["--shell"]):
        run("setup", "--root", root, *options)
    run("status", "--root", root)
    assert subprocess.run(["find", root, "-printf", "%p %T@ %s\\n"], capture_output=True, check=True).stdout == before


def test_the_json_holds_every_step(run, root):
    code, out, _ = run("setup", "--root", root, "--json")
    document = json.loads(out)
    assert code == 0
    steps = {step["key"]: step for step in document["steps"]}
    assert steps["nouveau"]["undo"][0] == "rm -f /etc/modprobe.d/linkspan-nouveau.conf"
    assert steps["driver"]["done"] is False


def test_the_script_is_one_that_a_shell_can_read(run, root):
    code, out, _ = run("setup", "--root", root, "--shell")
    assert code == 0
    assert out.startswith("#!/bin/sh\n")
    assert subprocess.run(["/bin/sh", "-n"], input=out, text=True, check=False).returncode == 0


def test_only_and_skip_choose_what_is_shown(run, root):
    _, out, _ = run("setup", "--root", root, "--json", "--only", "nouveau", "--only", "driver", "--skip", "driver")
    assert [step["key"] for step in json.loads(out)["steps"]] == ["nouveau"]


def test_a_step_that_there_is_not_is_named(run, root):
    code, _, err = run("setup", "--root", root, "--only", "drivers")
    assert code == 1
    assert "there is no step 'drivers'" in err


@pytest.mark.parametrize("options", [["--json", "--shell"], ["--json", "--apply"], ["--apply", "--root", "/tmp"]])
def test_options_that_exclude_each_other_are_refused(run, options):
    code, _, err = run("setup", *options)
    assert code == 2
    assert err.startswith("linkspan: ")


def test_a_root_that_is_no_folder_is_refused(run):
    code, _, err = run("setup", "--root", "/does/not/exist")
    assert code == 1
    assert "/does/not/exist is not a folder" in err


@pytest.mark.parametrize("command", ["setup", "status"])
def test_a_host_without_a_plan_is_a_sentence(run, tmp_path, command):
    root = trees.put(tmp_path / "host", trees.tree("debian-12", []))
    code, out, err = run(command, "--root", root)
    assert (code, out) == (1, "")
    assert err.startswith("linkspan: no NVIDIA GPU is on the PCI bus")
    code, out, _ = run(command, "--root", root, "--json")
    assert code == 1
    assert json.loads(out)["reason"].startswith("no NVIDIA GPU")


def test_status_is_the_check_list(run, root):
    code, out, _ = run("status", "--root", root)
    assert code == 1
    assert "nouveau" in out
    assert "to do" in out
    code, out, _ = run("status", "--root", root, "--json")
    assert json.loads(out)["states"]["driver"] == "to do"


def test_without_root_nothing_is_applied_or_taken_back(run, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    journal = Journal(str(tmp_path))
    journal.put(Entry(key="nouveau", title="nouveau", progress="applied", commands=(), undo=("false",)))
    for argv in (["setup", "--apply"], ["undo", "--state-dir", str(tmp_path)]):
        code, _, err = run(*argv)
        assert code == 1
        assert "changes the system, and you are not root" in err
        assert "sudo" in err
    assert journal.entries()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A made-up host that the command takes for its own."""
    made = FakeHost(tmp_path / "machine")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(host, "_plan", lambda _: made.plan())
    monkeypatch.setattr(host.shell, "environment", lambda *_: {"PATH": f"{made.top}/bin"})
    return made


@pytest.mark.allow_subprocess  # of scripts that the test writes
def test_apply_tells_the_story_and_undo_takes_it_back(run, machine):
    state = ["--state-dir", f"{machine.top}/state"]
    code, out, err = run("setup", "--apply", "--skip", "doctor", *state)
    assert (code, out) == (0, "")
    assert "  $ modprobe nvidia\n" in err
    assert err.endswith("all steps are done\n")
    code, out, _ = run("undo", "--dry-run", *state)
    assert code == 0
    assert out.index("linkspan uninstall") < out.index("rm -f /etc/modprobe.d/linkspan-nouveau.conf")
    assert "linkspan uninstall" not in machine.calls()
    code, _, err = run("undo", *state)
    assert code == 0
    assert "taken back: configure, cdi, linkspan" in err
    code, _, err = run("undo", *state)
    assert "nothing was applied" in err


@pytest.mark.allow_subprocess  # of scripts that the test writes
def test_a_restart_that_is_needed_has_an_exit_code_of_its_own(run, machine):
    trees.put(machine.tree, {"/proc/modules": trees.NOUVEAU})
    code, _, err = run("setup", "--apply", "--state-dir", f"{machine.top}/state")
    assert code == 4
    assert "the host has to be started anew: nouveau holds the GPUs" in err


@pytest.mark.allow_subprocess  # of scripts that the test writes
def test_a_command_that_fails_is_told_in_its_own_words(run, machine):
    machine.tell("fail", "nvidia-kernel-dkms")
    code, _, err = run("setup", "--apply", "--state-dir", f"{machine.top}/state")
    assert code == 1
    assert "a command of the plan failed with code 1: apt-get install -y nvidia-kernel-dkms" in err
    assert "E: apt-get was told to fail" in err


@pytest.mark.usefixtures("sim_host")  # which skips where device nodes cannot be made
@pytest.mark.allow_subprocess  # of the simulated NVML
def test_a_healthy_host_is_complete(run, tmp_path):
    create.create(str(tmp_path / "host"), SimSpec(gpus=2, engines=("docker",), sockets=True))
    code, out, err = run("status", "--root", str(tmp_path / "host"), "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert set(document["states"].values()) == {"done"}
    assert document["gpus"] == ["NVIDIA H100 80GB HBM3"] * 2
