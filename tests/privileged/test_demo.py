"""The demo as its users run it: as a program, and gone without a trace."""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests import containers
from tests.debian import UnavailableError

pytestmark = pytest.mark.privileged
PROGRAM = [sys.executable, "-c", "from linkspan.cli.main import main; main()", "demo", "--simulate"]
ENV = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80"}


@pytest.fixture(autouse=True)
def _containers_work() -> None:
    containers.need(containers.RUNC_V1 if os.path.isdir("/sys/fs/cgroup/devices") else containers.RUNC_V2)


def demo(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[no-any-return, call-overload]  # the options of the caller
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=False, env=ENV, **options
    )


def traces() -> list[str]:
    """Whatever a demo could leave on a machine."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line for line in file if "linkspan-demo" in line]
    cgroups = [
        os.path.join(folder, name)
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith("linkspan-demo")
    ]
    return [*mounts, *cgroups, *glob.glob("/tmp/linkspan-demo*"), *processes()]


def processes() -> list[str]:
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "linkspan-demo" in command or "linkspan-probe" in command:
            found.append(command)
    return found


def test_four_containers_see_exactly_what_they_asked_for():
    done = demo("--json")
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert done.returncode == 0
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
    assert traces() == []


def test_fewer_capabilities_are_fewer_files():
    first, *_, last = json.loads(demo("--json").stdout)["containers"]
    have = {mount["destination"] for mount in last["injected"]["mounts"]}
    spared = {mount["destination"] for mount in first["injected"]["mounts"]} - have
    assert have < {mount["destination"] for mount in first["injected"]["mounts"]}
    assert any("libnvidia-encode" in path for path in spared)
    assert not any("libcuda.so" in path or "nvidia-smi" in path for path in spared)


def test_people_get_a_page_of_80_columns():
    done = demo()
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
    assert "$ docker run --rm --gpus all nvidia/cuda:12.1.1-base-ubuntu22.04 nvidia-smi" in done.stdout
    assert "/dev/nvidia1 nvidia3, made by hand: refused (EPERM)" in done.stdout
    assert "Every container saw the GPUs it asked for, and no other." in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_nothing_is_left_behind_when_it_is_stopped(number, after_s):
    process = subprocess.Popen(PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    time.sleep(after_s)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (0, 128 + number, -number)  # over already; stopped; stopped before Python was up
    assert traces() == []


def test_a_reader_that_leaves_is_no_reason_to_leave_anything():
    with subprocess.Popen(PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENV) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 1
    assert traces() == []


def as_nobody() -> None:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def test_without_root_it_is_refused_in_one_sentence():
    done = subprocess.run(
        ["/usr/bin/env", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENV,
        preexec_fn=as_nobody,
    )
    if "linkspan:" not in done.stderr:
        raise UnavailableError("this Python cannot be run by an ordinary user")
    assert done.stderr == "linkspan: the demo starts real containers, which takes root\nhint: run it with sudo\n"
    assert done.returncode == 1


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
    drop = ["setpriv", "--bounding-set", f"-{capability}", "--inh-caps", f"-{capability}"]
    done = subprocess.run([*drop, *PROGRAM], capture_output=True, text=True, timeout=60, check=False, env=ENV)
    assert done.stderr.startswith(message)
    assert done.stderr.count("linkspan: ") == 1
    assert done.returncode == 1
    assert traces() == []


def test_without_a_low_level_runtime_it_is_refused_in_one_sentence():
    covered = [path for name in ("runc", "crun") if (path := shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"))]
    script = "".join(f"mount --bind /dev/null {path}; " for path in covered) + 'exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENV,
    )
    assert done.stderr.startswith("linkspan: no low-level runtime was found: looked for runc, crun\nhint: install runc")
    assert done.returncode == 1


def test_without_cgroups_it_is_refused_in_one_sentence():
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'umount -R /sys/fs/cgroup && exec "$@"', "sh", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENV,
    )
    assert done.stderr.startswith("linkspan: no container can be started here: ")
    assert "hint: cgroups have to be mounted at /sys/fs/cgroup, writable" in done.stderr
    assert done.returncode == 1
    assert traces() == []
