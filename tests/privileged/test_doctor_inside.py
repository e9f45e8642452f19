"""What the doctor sees in a real container that was started with GPUs: which files its image brought, and which not."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linkspan.check.containers import Container as Seen
from linkspan.check.eyes import Ledger, live
from linkspan.check.inside import Inside
from linkspan.check.scene import Scene
from tests.containers import Container, Runtime, new_bundle, subreaper
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

VERSION, OLD = "550.163.01", "535.183.01"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


@contextmanager
def started(toolkit: Toolkit, runtime: Runtime, root: str, *env: str) -> Iterator[Inside]:
    """A container that sleeps, as the doctor sees it."""
    with new_bundle(root, "/bin/sleep", "60") as bundle, subreaper():
        bundle.env("NVIDIA_VISIBLE_DEVICES=0", *env)
        container = Container(runtime, bundle.write(), toolkit.over(runtime))
        try:
            assert container.create(subprocess.DEVNULL, subprocess.DEVNULL) == 0
            assert container.start() == 0
            _until_it_sleeps(container.pid)
            scene = Scene(live("/", Ledger()))
            process = scene.processes.all[container.pid]
            yield Inside(Seen(scene.eyes, scene.processes, process))
        finally:
            container.delete()


def _until_it_sleeps(pid: int) -> None:
    """Wait for the end of execve(2): while the program is exchanged, the process has no command line."""
    end = time.monotonic() + 10
    while b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_what_was_injected_is_not_taken_for_the_images(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with fresh_root() as root, started(toolkit_550, runtime, root, "NVIDIA_DRIVER_CAPABILITIES=all") as inside:
        assert inside.container.has_gpus
        assert inside.baked == ()
        taken = inside.resolve("libcuda.so.1")
        assert taken is not None and taken.version == VERSION
        assert inside.has("libnvcuvid.so")
        assert inside.libcudas == {VERSION}


def test_an_older_driver_of_the_image_is_told_from_it(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with fresh_root() as root:
        old = Path(root) / LIBRARIES / f"libcuda.so.{OLD}"
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(b"\x7fELF of another driver")
        (Path(root) / LIBRARIES / f"libnvidia-ml.so.{OLD}").write_bytes(b"")
        with started(toolkit_550, runtime, root) as inside:
            assert {(one.name, one.size > 0) for one in inside.baked} == {
                (f"libcuda.so.{OLD}", True),
                (f"libnvidia-ml.so.{OLD}", False),
            }
            taken = inside.resolve("libcuda.so.1")
            assert taken is not None and taken.version == VERSION
