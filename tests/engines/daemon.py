"""A long-running program of a machine: started, waited for, and ended."""

import subprocess
import time
from collections.abc import Callable

from tests.debian import UnavailableError
from tests.engines.machine import Machine

START_S = 40.0
END_S = 10.0
LAST_WORDS = 2000
"""Characters of the log that say why something failed."""


class Daemon:
    """A running daemon; what it says is kept in a file of its machine."""

    def __init__(self, machine: Machine, *argv: str, **env: str) -> None:
        self.name = argv[0]
        self._machine = machine
        self._log = f"/run/{self.name}.log"
        self._pid = f"/run/{self.name}.pid.test"
        script = f'echo $$ >{self._pid}; exec "$@" >{self._log} 2>&1'
        self._process = machine.start("sh", "-c", script, "sh", *argv, **env)

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something that it does; UnavailableError, with its last words, where it does not."""
        end = time.monotonic() + START_S
        while not true():
            if time.monotonic() > end or self._process.poll() is not None:
                raise UnavailableError(f"{self.name} does not work here: no {what}: {self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The end of its log."""
        with open(self._machine.file(self._log), encoding="utf-8") as file:
            return file.read()[-LAST_WORDS:]

    def signal(self, name: str) -> None:
        """Send it a signal."""
        self._machine.run("sh", "-c", f"kill -{name} $(cat {self._pid})")

    def close(self) -> None:
        """End it, and wait for its end."""
        self.signal("KILL")
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:  # it goes with its machine
            self._process.kill()
            self._process.wait(END_S)
