"""The demo as its users run it: as a program, and gone without a trace."""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Self

import pytest

from tests import containers
from tests.debian import UnavailableError

pytestmark = pytest.mark.privileged
PROGRAM = [sys.executable, "-c", "from linkspan.cli.main import main; main()", "demo", "--simulate"]
ENV = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80"}


@pytest.fixture(autouse=True)
def _containers_work() -> None:
    containers.need(containers.RUNC_V1 if os.path.isdir("/sys/fs/cgroup/devices") else containers.RUNC_V2)


class Demo:
    """One run of the program: what it printed, and what it left on the machine."""

    def __init__(self, *arguments: str, prefix: Sequence[str] = (), **options: Any) -> None:
        self._process = subprocess.Popen(
            [*prefix, *PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENV,
            **options,
        )
        self.stdout = self.stderr = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._process:
            pass

    def end(self) -> int:
        """Wait for its end; the exit code."""
        self.stdout, self.stderr = self._process.communicate(timeout=120)
        return self._process.returncode

    def interrupt(self, number: int) -> None:
        self._process.send_signal(number)

    def read_a_line_and_leave(self) -> int:
        """As ``| head -n 1`` does; the exit code."""
        assert self._process.stdout
        self._process.stdout.readline()
        self._process.stdout.close()
        return self._process.wait(60)

    def traces(self) -> list[str]:
        """Whatever it has left."""
        name = f"linkspan-demo-{self._process.pid}-"
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            mounts = [line for line in file if name in line]
        cgroups = [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if name in folder]
        return [*mounts, *cgroups, *glob.glob(f"/tmp/{name}*"), *processes(name)]


def demo(*arguments: str, **options: Any) -> tuple[Demo, int]:
    """A run from beginning to end, and its exit code."""
    with Demo(*arguments, **options) as run:
        return run, run.end()


def processes(name: str) -> list[str]:
    """Processes that name the run, or are in a cgroup of its; the dead that nobody has buried yet have no command."""
    commands = {path: content(path) for path in glob.glob("/proc/[0-9]*/cmdline")}
    return [
        command
        for path, command in commands.items()
        if command and (name in command or name in content(path.replace("cmdline", "cgroup")))
    ]


def content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:  # it has ended
        return ""


def test_four_containers_see_exactly_what_they_asked_for():
    run, code = demo("--json")
    assert run.stderr == ""
    document = json.loads(run.stdout)
    assert code == 0
    assert document["simulated"] is True
    asked = [container["scene"]["gpus"] for container in document["containers"]]
    assert asked == [[0, 1, 2, 3], [0, 2], [0], [0, 1, 2, 3]]
    for container, gpus in zip(document["containers"], asked, strict=True):
        assert container["problems"] == []
        nodes = container["seen"]["nodes"]
        assert [node["errno"] for node in nodes] == [6 if index in gpus else 1 for index in range(4)]
        assert len(container["seen"]["smi"]) == len(gpus)
        assert container["seen"]["library"]["host_path"].endswith("/libcuda.so.550.163.01")
    assert document["seconds"] < 20
    assert run.traces() == []


def test_fewer_capabilities_are_fewer_files():
    first, *_, last = json.loads(demo("--json")[0].stdout)["containers"]
    have = {mount["destination"] for mount in last["injected"]["mounts"]}
    spared = {mount["destination"] for mount in first["injected"]["mounts"]} - have
    assert have < {mount["destination"] for mount in first["injected"]["mounts"]}
    assert any("libnvidia-encode" in path for path in spared)
    assert not any("libcuda.so" in path or "nvidia-smi" in path for path in spared)


def test_people_get_a_page_of_80_columns():
    run, code = demo()
    assert code == 0
    assert max(map(len, run.stdout.splitlines())) <= 80
    assert "\x1b" not in run.stdout
    assert "$ docker run --rm --gpus all nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi" in run.stdout
    assert "/dev/nvidia1 nvidia3, made by hand: refused (EPERM)" in run.stdout
    assert "Every container saw the GPUs it asked for, and no other." in run.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_nothing_is_left_behind_when_it_is_stopped(number, after_s):
    with Demo() as run:
        time.sleep(after_s)
        run.interrupt(number)
        assert run.end() in (0, 128 + number, -number)  # over already; stopped; stopped before Python was up
        assert run.traces() == []


def test_a_reader_that_leaves_is_no_reason_to_leave_anything():
    with Demo() as run:
        assert run.read_a_line_and_leave() == 1
        assert run.traces() == []


def as_nobody() -> None:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def test_without_root_it_is_refused_in_one_sentence():
    try:
        run, code = demo(preexec_fn=as_nobody)
    except PermissionError:
        raise UnavailableError("this Python cannot be run by an ordinary user") from None
    if "linkspan:" not in run.stderr:
        raise UnavailableError("this Python cannot be used by an ordinary user")
    assert run.stderr == "linkspan: the demo starts real containers, which takes root\nhint: run it with sudo\n"
    assert code == 1


def refusal(*prefix: str) -> str:
    """What the demo says, run by another program; it has to fail and to leave nothing."""
    run, code = demo(prefix=prefix)
    assert code == 1
    assert run.traces() == []
    return run.stderr


@pytest.mark.parametrize(
    ("capability", "message"),
    [
        ("sys_admin", "linkspan: no permission to start containers: cannot unshare a mount namespace: "),
        ("mknod", "linkspan: no permission to make the device node /"),
    ],
)
def test_without_a_capability_it_is_refused_in_one_sentence(capability, message):
    if not shutil.which("setpriv"):
        raise UnavailableError("setpriv is not installed")
    said = refusal("setpriv", "--bounding-set", f"-{capability}", "--inh-caps", f"-{capability}")
    assert said.startswith(message)
    assert said.count("linkspan: ") == 1


def test_without_a_low_level_runtime_it_is_refused_in_one_sentence():
    covered = [path for name in ("runc", "crun") if (path := shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"))]
    script = "".join(f"mount --bind /dev/null {path}; " for path in covered) + 'exec "$@"'
    said = refusal("unshare", "-m", "sh", "-c", script, "sh")
    assert said.startswith("linkspan: no low-level runtime was found: looked for runc, crun\nhint: install runc")


def test_without_cgroups_it_is_refused_in_one_sentence():
    said = refusal(
        "unshare", "-m", "sh", "-c", 'umount -a -t cgroup,cgroup2; umount -R /sys/fs/cgroup; exec "$@"', "sh"
    )
    assert said.startswith("linkspan: no container can be started here: ")
    assert "hint: cgroups have to be mounted at /sys/fs/cgroup, writable" in said
