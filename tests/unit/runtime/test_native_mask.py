"""The launcher covers the driver's parameters as Python does: its own source, with a main function of the test's."""

import os
import subprocess
from pathlib import Path

import pytest

from linkspan.kernel.params import masked
from tests import mounts
from tests.unit.runtime.native import SANITIZED, SOURCES, launcher

MAIN = """
#define _GNU_SOURCE
#include "mask.h"
#include <fcntl.h>
int main(int argc, char **argv) { return argc != 2 || !mask_params(open(argv[1], O_PATH | O_DIRECTORY)); }
"""
TEXTS = {
    "as the driver writes them": b"ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\nDeviceFileMode: 438\n",
    "harmless already": b"ModifyDeviceFiles: 0\n",
    "without that line": b"DeviceFileMode: 438\n",
    "with a longer name first": b"XModifyDeviceFiles: 1\nModifyDeviceFiles: 1\n",
    "twice": b"ModifyDeviceFiles: 1\nModifyDeviceFiles: 1\n",
    "without an end": b"ModifyDeviceFiles: 1",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    launcher()  # skips where there are no sanitizers
    folder = tmp_path_factory.mktemp("mask")
    (folder / "main.c").write_text(MAIN)
    parts = [f"{SOURCES}/{name}.c" for name in ("mask", "carry", "mounts", "below", "record", "text", "whole")]
    command = ["gcc", "-std=c11", *SANITIZED, f"-I{SOURCES}", "-o", f"{folder}/mask", f"{folder}/main.c", *parts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return f"{folder}/mask"


@pytest.mark.privileged
@pytest.mark.parametrize("name", TEXTS)
def test_what_a_container_reads_is_what_python_would_show_it(program: str, tmp_path: Path, name: str) -> None:
    mounts.enter_private_mounts()
    params = tmp_path / "proc/driver/nvidia/params"
    params.parent.mkdir(parents=True)
    params.write_bytes(TEXTS[name])
    before = listed()
    env = {"ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program, str(tmp_path)], env=env, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    try:
        wanted = masked(TEXTS[name])
        assert params.read_bytes() == (TEXTS[name] if wanted is None else wanted)
        new = listed() - before
        assert [line.split()[4] for line in new] == ([] if wanted is None else [str(params)])
        assert all({"ro", "nosuid", "nodev", "noexec"} <= set(line.split()[5].split(",")) for line in new)
        assert os.listdir(params.parent) == ["params"]
    finally:
        subprocess.run(["umount", str(params)], capture_output=True, timeout=20, check=False)


def listed() -> set[str]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return set(file.read().splitlines())
