"""What makes everything anew that container starts rely on, again and again, while they start."""

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.toolkit import Toolkit

ENOUGH_REFRESHES = 3


@contextlib.contextmanager
def unrest(
    toolkit: Toolkit, spec: str, run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]]
) -> Iterator[list[int]]:
    """Refresh a CDI spec by force, and forget what was kept, over and over; how often is counted.

    ``run`` runs a command where the toolkit is.
    """
    ended, done = threading.Event(), [0]
    command = [sys.executable, "-m", "linkspan", "cdi", "refresh", "--force", "--driver-root", toolkit.driver_root]
    command += ["--output", spec, "--hook-path", toolkit.hook, "--state-dir", toolkit.place.state]

    def disturb() -> None:
        chance = random.Random(0)
        while not ended.is_set():
            tried = run(command)
            assert tried.returncode == 0, tried
            if chance.random() < 0.3:
                toolkit.forget()
            done[0] += 1

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(disturb)
        try:
            yield done
        finally:
            ended.set()
        running.result()


def await_refreshes(refreshed: list[int]) -> None:
    """Give the refreshing the time that it needs beside so many containers on a busy machine, within bounds."""
    deadline = time.monotonic() + 120
    while refreshed[0] <= ENOUGH_REFRESHES and time.monotonic() < deadline:
        time.sleep(0.05)
