"""``linkspan boundary`` on a real container: what the start brought across is the host's, what it has itself is not."""

import json
import os
import shutil
import subprocess

import pytest

from linkspan.cli.main import run
from tests.containers import Container, Runtime, new_bundle, subreaper
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged


def rows(capsys: pytest.CaptureFixture[str], name: object, code: int) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert run(["boundary", str(name), "--json"]) == code
    return {row["key"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def test_a_running_container_has_its_driver_from_the_host(
    toolkit_550: Toolkit, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    with fresh_root() as root, new_bundle(root, "/bin/sleep", "60") as bundle, subreaper():
        bundle.env("NVIDIA_VISIBLE_DEVICES=0,2")
        container = Container(runtime, bundle.write(), toolkit_550.over(runtime))
        try:
            assert container.create(subprocess.DEVNULL, subprocess.DEVNULL) == 0
            assert container.start() == 0
            found = rows(capsys, container.pid, 0)
            shutil.copy(shutil.which("true") or "/bin/true", f"/proc/{container.pid}/root/usr/bin/nvidia-ctk")
            spoiled = rows(capsys, container.pid, 1)
        finally:
            container.delete()
    verdicts = {key: row["verdict"] for key, row in found.items()}
    for key in ("gpu", "driver", "libcuda", "nvidia-smi", "application"):
        assert verdicts[key] == "right side", key
    nodes = {os.path.basename(one["path"]) for one in found["gpu"]["found"]}  # type: ignore[attr-defined]
    assert {"nvidia0", "nvidia2"} <= nodes
    assert "nvidia1" not in nodes
    assert spoiled["bridge"]["wrong"] == ["/usr/bin/nvidia-ctk"]


def test_a_process_of_the_host_is_no_container(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["boundary", str(os.getpid())]) == 3
    assert "is the root of this host" in capsys.readouterr().err
