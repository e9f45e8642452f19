"""The machines that engines run on: apart from the machine that runs the tests, and gone afterwards."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import cgroups, machine, roots
from tests.engines.machine import Machine

pytestmark = [pytest.mark.privileged, pytest.mark.xdist_group("engines")]

BOOT_AND_WAIT = """\
    import time
    from tests.engines import machine, roots
    with machine.boot(roots.root("bookworm")) as running:
        print(running.pid, running.name, flush=True)
        time.sleep(60)
"""
DEVICES = ["fd", "full", "fuse", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero"]
LEAVE_THINGS = """\
    mkdir /tmp/there
    mount -t tmpfs tmpfs /tmp/there
    for folder in $(find /sys/fs/cgroup -name init -prune); do mkdir -p $folder/a/b; done
    setsid sleep 600 >/dev/null 2>&1 &
"""


@pytest.fixture(scope="module")
def lower() -> str:
    return roots.root("bookworm")


@pytest.fixture(scope="module", params=cgroups.available())
def running(request: pytest.FixtureRequest, lower: str) -> Iterator[Machine]:
    with machine.boot(lower, version=request.param) as booted:
        yield booted


def traces(running: Machine) -> list[str]:
    """What is left of a machine on this one."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line for line in file if running.work in line]
    folders = [path for path, _, _ in os.walk("/sys/fs/cgroup") if running.name in path]
    return [*mounts, *folders, *([running.work] if os.path.exists(running.work) else []), *processes(running.name)]


def processes(name: str) -> list[str]:
    """Processes in cgroups of this name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
                found += [pid] if name in file.read() else []
        except OSError:  # it has ended
            continue
    return found


def test_it_sees_its_own_processes_network_and_devices_alone(running: Machine) -> None:
    assert running.need("cat", "/proc/1/comm") == "tini\n"
    assert running.need("ls", "/sys/class/net") == "lo\n"
    assert running.need("ls", "/dev").split() == DEVICES
    assert os.uname().nodename != running.need("uname", "-n").strip()


def test_its_cgroups_begin_at_its_own(running: Machine) -> None:
    lines = running.need("cat", "/proc/self/cgroup").splitlines()
    inside = [line for line in lines if line.endswith(f":/{cgroups.FIRST}")]
    assert inside
    assert not [line for line in inside if running.name in line]


def test_what_is_written_there_stays_there(running: Machine, lower: str) -> None:
    running.need("sh", "-c", "echo changed >/etc/hosts; rm /etc/subuid; touch /new")
    with open(f"{lower}/etc/hosts", encoding="ascii") as file:
        assert file.read() == roots.FILES["etc/hosts"]
    assert os.path.exists(f"{lower}/etc/subuid")
    assert not os.path.exists(f"{lower}/new")


def test_a_command_that_takes_too_long_is_ended(running: Machine) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        running.run("sleep", "60", time_s=0.3)


def test_with_it_go_its_processes_mounts_and_cgroups(lower: str) -> None:
    for version in cgroups.available():
        with machine.boot(lower, version=version) as running:
            running.need("sh", "-c", LEAVE_THINGS)
            assert processes(running.name)
        assert traces(running) == []


def test_it_ends_with_the_tests_also_when_those_are_killed(lower: str, tmp_path: Path) -> None:
    with machine.boot(lower):  # skips this test where there can be none
        pass
    code = textwrap.dedent(BOOT_AND_WAIT)
    argv = [sys.executable, "-c", code]
    env = {**os.environ, "TMPDIR": str(tmp_path)}  # where what they cannot remove any more is removed with ours
    with subprocess.Popen(argv, cwd=machine.REPOSITORY, env=env, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        pid, name = tests.stdout.readline().split()
        assert processes(name)
        tests.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        time.sleep(0.02)
    assert processes(name) == []
    with machine.boot(lower):  # tidies up behind those that could not
        assert not [path for path, _, _ in os.walk("/sys/fs/cgroup") if name in path]
