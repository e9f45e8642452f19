"""Plans carried out, gone on with, and taken back, on a host whose programs are made up."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from linkspan.errors import ConfigError, HostError, RequestError
from linkspan.setup import service_steps
from linkspan.setup.apply import Choice
from linkspan.setup.journal import Journal
from tests.unit.setup import trees
from tests.unit.setup.fake_host import FakeHost

pytestmark = pytest.mark.allow_subprocess  # of scripts that the tests write

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

ANOTHER = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.unit.setup.fake_host import FakeHost
FakeHost.at(sys.argv[2]).apply()
"""


@pytest.fixture
def host(tmp_path):
    return FakeHost(tmp_path)


def test_a_plan_is_carried_out_from_the_first_step_to_the_last(host):
    assert host.apply() == ("done", "")
    assert {key for key, state in host.states().items() if state != "done"} <= {"doctor"}
    installed = next(number for number, line in enumerate(host.calls()) if "nvidia-kernel-dkms" in line)
    assert installed < host.calls().index("modprobe nvidia") < host.calls().index("linkspan cdi refresh")


def test_each_command_is_shown_before_it_is_run(host):
    host.apply()
    shown = [line.removeprefix("  $ ") for line in host.said if line.startswith("  $ ")]
    assert [line for line in shown if not line.startswith("printf")] == [
        line for line in host.calls() if not line.startswith("tee")
    ]


def test_what_is_done_is_never_run_again(host):
    host.apply()
    before = host.calls()
    assert host.apply() == ("done", "")
    assert host.calls() == before


def test_the_last_step_is_the_doctors(host, monkeypatch):
    monkeypatch.setattr(service_steps, "_first_finding", lambda _: "")
    host.apply(skip=())
    assert host.plan().complete
    assert "linkspan doctor" not in host.calls()  # looked at, it was found done


def test_the_doctors_finding_is_a_failure_of_the_last_step(host, monkeypatch):
    monkeypatch.setattr(service_steps, "_first_finding", lambda _: "a link is broken")
    with pytest.raises(HostError, match="and yet: a link is broken"):
        host.apply(skip=())
    assert host.calls()[-1] == "linkspan doctor"


@pytest.mark.parametrize(
    "line",
    ["apt-get update", "linux-headers", "update-initramfs", "nvidia-kernel-dkms", "modprobe nvidia", "docker.io"],
)
def test_after_a_failing_command_the_same_goes_on_where_it_failed(host, line):
    host.tell("fail", line)
    with pytest.raises(HostError, match="was told to fail"):
        host.apply()
    failed = [entry for entry in host.journal.entries() if entry.progress == "failed"]
    assert [entry.key for entry in failed] == [host.journal.entries()[-1].key]
    host.tell("fail", "")
    done_before = len(host.calls())
    assert host.apply() == ("done", "")
    assert all(entry.progress == "applied" for entry in host.journal.entries())
    assert line in host.calls()[done_before] or line in host.calls()[done_before + 1]


def test_commands_that_end_well_and_do_nothing_are_a_failure(host):
    path = f"{host.top}/bin/modprobe"
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n")
    with pytest.raises(HostError, match="the step module ended well, and yet: it is not loaded"):
        host.apply()
    assert host.journal.entry("module").progress == "failed"


def test_with_nouveau_in_the_kernel_the_run_stops_for_a_restart_and_goes_on_after_it(tmp_path):
    host = FakeHost(tmp_path, trees.tree("debian-12"), {"/proc/modules": trees.NOUVEAU})
    kind, reason = host.apply()
    assert (kind, reason) == ("restart", "nouveau holds the GPUs until the host starts without it")
    assert "modprobe nvidia" not in host.calls()
    with open(f"{host.tree}/proc/modules", "w", encoding="ascii"):
        pass  # the host was started anew
    assert host.apply() == ("done", "")


def test_a_key_is_given_a_password_and_waits_for_its_confirmation(tmp_path):
    host = FakeHost(tmp_path, trees.tree("debian-12"), trees.secure_boot())
    kind, reason = host.apply()
    assert kind == "restart"
    assert "Enroll MOK" in reason
    assert any(line.strip()[-8:].isdecimal() and "password" in line for line in host.said)
    assert host.journal.entry("secure-boot").progress == "waiting"
    again = host.apply()
    assert again.kind == "restart"
    assert sum("mokutil --import" in line for line in host.calls()) == 1
    trees.put(f"{tmp_path}/tree", trees.secure_boot(enrolled=b"the certificate"))
    assert host.apply() == ("done", "")
    assert host.journal.entry("secure-boot").progress == "applied"


@pytest.mark.parametrize("line", ["apt-get update", "nvidia-kernel-dkms", "modprobe nvidia", "linkspan cdi refresh"])
def test_killed_in_the_middle_of_a_command_the_next_run_goes_on_and_undo_takes_all_back(host, line):
    before = host.files()
    host.tell("hang", line)
    child = subprocess.Popen([sys.executable, "-c", ANOTHER, REPOSITORY, host.top], stdout=subprocess.DEVNULL)
    try:
        _wait_for(lambda: any(line in call for call in host.calls()))
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert host.journal.entries()[-1].progress == "begun"
    host.tell("hang", "")
    _end_what_hangs(host.top)
    assert host.apply() == ("done", "")
    assert all(entry.progress == "applied" for entry in host.journal.entries())
    host.undo()
    assert _without_database(host, host.files()) == _without_database(host, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_the_command_that_runs_is_let_end_and_nothing_comes_after_it(host, number):
    host.tell("slow", "nvidia-kernel-dkms")
    child = subprocess.Popen(
        [sys.executable, "-c", ANOTHER, REPOSITORY, host.top], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(lambda: any("nvidia-kernel-dkms" in call for call in host.calls()))
        child.send_signal(number)
        assert child.wait(20) != 0
    finally:
        child.kill()
    assert "nvidia-kernel-dkms" in host.calls()[-1]
    assert host.plan().step("driver").done
    assert host.journal.entry("driver").ran == 1
    assert host.apply() == ("done", "")


def _wait_for(happened):
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until, "the command was never reached"
        time.sleep(0.05)


def _end_what_hangs(top):
    """Our programs, by what they were started as: their parent was killed, so nobody else ends them."""
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(word.startswith(f"{top}/bin/") for word in words):
            os.kill(int(pid), signal.SIGKILL)


def _without_database(host, files):
    """What stays when packages are gone: their empty database, and nodes, which a restart takes."""
    gone = (f"{host.tree}/var/lib/dpkg/status", f"{host.tree}/dev/")
    return {path: data for path, data in files.items() if not path.startswith(gone)}


def test_undo_takes_back_what_was_applied_the_last_first(host):
    before = host.files()
    host.apply()
    applied = [entry.key for entry in host.journal.entries()]
    assert host.undo() == applied[::-1]
    assert _without_database(host, host.files()) == _without_database(host, before)
    assert not os.path.exists(host.journal.path)
    assert host.undo() == []


def test_undo_leaves_alone_what_was_there_before_us(tmp_path):
    there = {"/usr/bin/dockerd": "", "/usr/local/bin/linkspan-runtime": "", "/usr/bin/nvidia-smi": ""}
    host = FakeHost(tmp_path, trees.tree("debian-12"), there, trees.dpkg("nvidia-smi", "docker.io"))
    host.apply()
    host.undo()
    assert not any("docker.io" in line for line in host.calls())
    assert "linkspan uninstall" not in host.calls()
    with open(f"{host.tree}/var/lib/dpkg/status", encoding="ascii") as file:
        assert sorted(line.split()[1] for line in file if line.startswith("Package")) == ["docker.io", "nvidia-smi"]


def test_undo_stops_at_a_failure_and_goes_on_from_there(host):
    host.apply()
    host.tell("fail", "modprobe -r")
    with pytest.raises(HostError, match="was told to fail"):
        host.undo()
    assert host.journal.entries()[-1].key == "module"
    host.tell("fail", "")
    assert host.undo()[0] == "module"
    assert host.journal.entries() == ()


def test_what_an_interrupted_try_had_begun_is_taken_back_too(host):
    host.tell("fail", "nvidia-kernel-dkms")
    with pytest.raises(HostError):
        host.apply()
    first = host.journal.entry("driver").undo
    half = trees.dpkg("nvidia-smi", f"linux-headers-{trees.KERNELS['debian-12']}")
    trees.put(f"{host.top}/tree", half, {"/usr/bin/nvidia-smi": ""})
    host.tell("fail", "")
    host.apply()
    assert set(first) <= set(host.journal.entry("driver").undo)


def test_only_and_skip_choose_steps(host):
    host.apply(only=("nouveau",), skip=())
    assert [entry.key for entry in host.journal.entries()] == ["nouveau"]
    host.apply(skip=("doctor", "engine", "configure"))
    assert not any("docker" in line for line in host.calls())
    assert host.undo(only=("nouveau",)) == ["nouveau"]


def test_a_step_that_there_is_not_is_refused():
    with pytest.raises(RequestError, match="there is no step 'drivers'"):
        Choice(only=("drivers",)).check()


def test_a_step_for_which_no_command_is_known_is_a_sentence(tmp_path):
    host = FakeHost(tmp_path, trees.tree("arch"), trees.loaded())
    with pytest.raises(HostError, match="no command is known for it here"):
        host.apply(only=("engine",))


def test_two_runs_at_once_are_refused(host):
    with host.journal.locked(), pytest.raises(ConfigError, match="another 'linkspan host' works"):
        host.apply()


@pytest.mark.parametrize("text", ["{", '{"version": 9, "entries": []}', '{"entries": [{"key": 5}]}'])
def test_a_journal_that_cannot_be_followed_stops_everything(host, text):
    os.makedirs(f"{host.top}/state")
    with open(host.journal.path, "w", encoding="ascii") as file:
        file.write(text)
    with pytest.raises(ConfigError, match="is no journal of this version"):
        host.apply()
    assert host.calls() == []


def test_the_journal_is_readable_and_for_root_alone(host):
    host.apply(only=("nouveau",))
    with open(host.journal.path, encoding="ascii") as file:
        entry = json.load(file)["entries"][0]
    assert entry["undo"] == ["rm -f /etc/modprobe.d/linkspan-nouveau.conf", "update-initramfs -u"]
    assert entry["ran"] == 2
    assert os.stat(host.journal.path).st_mode & 0o777 == 0o600


def test_a_journal_that_is_not_there_is_empty(tmp_path):
    assert Journal(str(tmp_path / "none")).entries() == ()
