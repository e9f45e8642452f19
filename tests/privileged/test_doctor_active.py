"""What the doctor finds out by doing: NVML and a real container, on simulated hosts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from linkspan.sim import create
from linkspan.sim.spec import SimSpec
from tests import containers

pytestmark = pytest.mark.privileged

HOST = SimSpec(gpus=2, engines=("docker",))


def doctor(root: Path) -> subprocess.CompletedProcess[str]:
    """The doctor as a program of its own: it leaves its mount namespace for the container."""
    command = [sys.executable, "-m", "linkspan", "doctor", "--root", str(root), "--active"]
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
    )


def test_a_healthy_host_answers_and_starts_a_container(tmp_path):
    containers.need(containers.RUNC_V1 if os.path.isdir("/sys/fs/cgroup/devices") else containers.RUNC_V2)
    create.create(str(tmp_path / "host"), HOST)
    done = doctor(tmp_path / "host")
    assert "✓ NVML  2 GPUs: NVIDIA H100" in done.stdout, done.stderr
    assert "✓ a container with all GPUs  nvidia-smi shows 2" in done.stdout, done.stdout
    assert done.returncode == 0


def test_a_gpu_that_nvml_does_not_show_is_told_and_no_container_is_started(tmp_path):
    create.create(str(tmp_path / "host"), HOST)
    create.inject(str(tmp_path / "host"), "lost-gpu=1")
    done = doctor(tmp_path / "host")
    told = next(line for line in done.stdout.splitlines() if line.startswith("✗ NVML"))
    assert "GPU 1: GPU is lost" in told
    assert "a container with" not in done.stdout
    assert done.returncode == 1
