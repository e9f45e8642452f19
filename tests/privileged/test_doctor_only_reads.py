"""The doctor changes nothing: every system call of a run, and of its children, is looked at."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linkspan.sim import create, failing
from linkspan.sim.spec import SimSpec

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess]

CHANGES = (
    *("mkdir", "mkdirat", "mknod", "mknodat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2"),
    *("link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat"),
    *("truncate", "ftruncate", "fallocate", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr"),
    *("mount", "umount2", "move_mount", "open_tree", "mount_setattr", "fsconfig", "pivot_root", "swapon", "bpf"),
    *("init_module", "finit_module", "delete_module", "reboot", "sethostname", "unshare", "setns", "ioctl", "execve"),
)
OPENED = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"(?P<path>[^"]*)", (?P<flags>[A-Z_|]+)')
WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
HARMLESS = (
    re.compile(r"ioctl\(\d+(<[^>]*>)?, (TCGETS|TIOCGWINSZ|FIOCLEX|FIONCLEX|TCGETS2)"),  # asks a terminal for its size
    re.compile(r"execve\("),  # the doctor itself is started; that it starts nothing else is counted below
)


def traced(root: str, folder: Path, *options: str) -> list[str]:
    """The system calls of one run that could change something, as strace prints them."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    log = folder / "trace"
    program = [sys.executable, "-m", "linkspan", "doctor", "--root", root, *options]
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)}
    trace = f"trace=open,openat,creat,{','.join(CHANGES)}"
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", trace, *program]
    done = subprocess.run(command, env=env, capture_output=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    if b"ptrace" in done.stderr.lower() and not log.stat().st_size:
        pytest.skip("this machine lets nobody trace a process")
    assert done.returncode in (0, 1, 2), done.stderr
    return [line.partition(" ")[2].strip() for line in log.read_text().splitlines()]


def changes(calls: list[str]) -> list[str]:
    found = []
    for call in calls:
        opened = OPENED.match(call)
        if opened:
            if any(flag in opened["flags"].split("|") for flag in WRITES) and opened["path"] != "/dev/null":
                found.append(call)
        elif not any(pattern.match(call) for pattern in HARMLESS) and not call.startswith(
            ("+++", "---", "<...", "open")
        ):
            found.append(call)
    return found


@pytest.mark.parametrize("failure", ["", "D-DRIVER-1", "D-ENGINE-1"])
def test_no_system_call_of_a_run_changes_anything(tmp_path, failure):
    root = str(tmp_path / "host")
    if failure:
        failing.create_failing(root, failure)
    else:
        create.create(root, SimSpec(gpus=8, engines=("docker", "podman")))
    calls = traced(root, tmp_path)
    assert len(calls) > 200
    assert changes(calls) == []
    assert sum(call.startswith("execve(") and call.endswith("= 0") for call in calls) == 1


def test_this_very_machine_is_only_read(tmp_path):
    assert changes(traced("/", tmp_path)) == []


def test_a_change_would_be_seen(tmp_path):
    root = str(tmp_path / "host")
    create.create(root, SimSpec(gpus=1, engines=("docker",)))
    assert any("bundle" in call for call in changes(traced(root, tmp_path, "--bundle", f"{tmp_path}/bundle.zip")))
