"""``linkspan explain --live`` on a real start: the links come to hold while the low-level runtime is at work."""

import subprocess
import threading
import time

import pytest

from linkspan.explain import live
from linkspan.explain.live import Follower, Host, Step
from tests.containers import Container, Runtime, new_bundle, subreaper
from tests.rootfs import fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged


class Watching(threading.Thread):
    """Looks at the start from a thread of its own, as the app does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._follower = Follower(Host("550.163.01", frozenset({195})), time.monotonic)
        self.steps: list[Step] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.wait(0.005):
            self.steps.append(self._follower.step())


def test_a_real_start_is_followed_from_nothing_to_running(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with fresh_root() as root, new_bundle(root, "/bin/sleep", "60") as bundle, subreaper():
        bundle.env("NVIDIA_VISIBLE_DEVICES=0,2")
        container = Container(runtime, bundle.write(), toolkit_550.over(runtime))
        watching = Watching()
        watching.start()
        try:
            assert container.create(subprocess.DEVNULL, subprocess.DEVNULL) == 0
            time.sleep(0.1)
            created, pid = watching.steps[-1], container.pid
            assert container.start() == 0
            time.sleep(live.SETTLED_S + 0.5)
            running = watching.steps[-1]
        finally:
            container.delete()
            time.sleep(0.1)
            watching.enough.set()
            watching.join(5)
    if created.chain.subject != f"process {pid}":
        pytest.skip("another container started on this machine at the same moment")
    states = {box.key: box.state for box in created.chain.boxes}
    assert created.phase == "starting"
    assert [states[key] for key in ("nodes", "libcuda", "driver", "application")] == ["holds"] * 3 + ["unknown"]
    assert running.phase == "running"
    assert running.chain.works is True, running
    details = {box.key: box.detail for box in running.chain.boxes}
    assert details["application"].endswith("/sleep")
    assert details["nodes"].startswith("nvidia")
    assert 0 <= running.since["libcuda"] <= running.since["application"] < 30
    assert watching.steps[-1].phase == "ended"
