"""The plan of a real Debian, made by debootstrap: its repository step done and undone, its packages known to its apt.

Nothing is installed: apt simulates (``apt-get -s``), and so answers for every name and every dependency.
"""

import os
import re
import shutil
import subprocess

import pytest

from linkspan.setup import apply, look, plan
from linkspan.setup.apply import Choice, Run
from linkspan.setup.journal import Journal
from tests import debian, hosts, mounts
from tests.unit.setup import trees

pytestmark = pytest.mark.privileged

SUITES = ("bookworm", "trixie")
GPUS = {"bookworm": ("Kepler", "Volta", "Hopper"), "trixie": ("Volta", "Ampere", "Hopper")}


def build(suite, folder):
    """A minimal Debian whose apt has the network settings of the machine's."""
    debian.debootstrap(suite, folder)
    network = re.findall(
        r"^Acquire::(?:https?|ftp|Retries)[^\n]*;$", debian._run(["apt-config", "dump"], time_s=60), re.MULTILINE
    )
    hosts.make(folder, {"/etc/apt/apt.conf.d/90machine": "\n".join(network) + "\n"})
    shutil.copy("/etc/resolv.conf", f"{folder}/etc/resolv.conf")
    inside(folder, "apt-get update -q")


def inside(root, line, time_s=300):
    """What a line prints, run by the shell of the root, with no input; its last words where it fails."""
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    argv = ["chroot", root, "/bin/sh", "-euc", line]
    done = subprocess.run(
        argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=time_s, check=False
    )
    if done.returncode:
        raise AssertionError(f"{line!r} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


@pytest.fixture(scope="module", params=SUITES)
def root(request):
    """A Debian of the suite, with the kernel that it would run now."""
    kept = debian.cached(f"host-setup-{request.param}", "2", lambda folder: build(request.param, folder))
    with mounts.overlay(kept) as folder:
        image = re.search(r"Depends: linux-image-(\S+)", inside(folder, "apt-cache depends linux-image-amd64"))
        put(folder, "/proc/sys/kernel/osrelease", f"{image[1]}\n")
        yield request.param, folder


def put(root, path, text):
    os.makedirs(os.path.dirname(f"{root}{path}"), exist_ok=True)
    with open(f"{root}{path}", "w", encoding="ascii") as file:
        file.write(text)


def planned(root, gpu):
    shutil.rmtree(f"{root}/sys/bus", ignore_errors=True)
    for path, text in {**trees.device(1, trees.GPUS[gpu]), "/proc/modules": ""}.items():
        put(root, path, text)
    for path, data in trees.secure_boot().items():
        put(root, path, data.decode("latin-1"))
    return plan.make(look.at(root))


@pytest.fixture
def run(root, tmp_path):
    """A run of the plan whose programs are those of the root."""
    os.makedirs(tmp_path / "bin")
    for name in ("apt-get", "tee", "rm"):
        hosts.make(
            tmp_path,
            {f"/bin/{name}": f'#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexec chroot {root[1]} {name} "$@"\n'},
        )
        os.chmod(tmp_path / "bin" / name, 0o755)
    env = {"PATH": f"{tmp_path}/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    said = []
    return Run(lambda: planned(root[1], "Hopper"), Journal(f"{tmp_path}/state"), said.append, env)


def test_debians_repository_step_makes_every_package_of_the_plan_known_and_can_be_undone(root, run):
    suite, folder = root
    before = sorted(os.listdir(f"{folder}/etc/apt/sources.list.d"))
    assert apply.carry_out(run, Choice(only=("repository",))) == ("done", "")
    simulated = [line for gpu in GPUS[suite] for line in simulate(folder, planned(folder, gpu))]
    assert len(simulated) >= 5
    assert apply.take_back(run, Choice()) == ["repository"]
    assert sorted(os.listdir(f"{folder}/etc/apt/sources.list.d")) == before
    with pytest.raises(AssertionError, match="nvidia-kernel-dkms"):
        inside(folder, "apt-get -s install -y nvidia-kernel-dkms")


def simulate(root, found):
    """Simulate the installations of the plan, all in one; the names of their packages are then known to the archive."""
    lines = [line for step in found.steps for line in step.commands if line.startswith("apt-get install")]
    wanted = [name for line in lines for name in line.split()[3:]]
    told = inside(root, f"apt-get -s install -y {' '.join(wanted)}")
    assert all(f"Inst {name} " in told for name in wanted)
    return lines
