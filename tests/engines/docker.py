"""Docker on a machine of its own: the daemon, which brings its containerd along, and the command line."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.debian import UnavailableError
from tests.engines import images, machine
from tests.engines.gpu import GpuMachine

RELEASES = {"20.10": "bookworm", "26": "trixie", "28": "sid"}
"""The Debian release that has a version of Docker."""

SOCKET = "/run/docker.sock"
CONFIG = "/etc/docker/daemon.json"
START_S = 40.0
CLI_S = 60.0
LOAD_S = 120.0

DAEMON = (
    "dockerd",
    "--bridge=none",
    "--iptables=false",
    "--group=root",
    f"--config-file={CONFIG}",
    f"--host=unix://{SOCKET}",
    "--data-root=/data/docker",
    "--exec-root=/run/docker",
    "--pidfile=/run/docker.pid",
)


class Docker:
    """A running daemon; its settings are those of daemon.json with runtime ``nvidia`` and these on top."""

    def __init__(self, host: GpuMachine, log: str, **settings: Any) -> None:
        self.host = host
        runtimes = {"nvidia": {"path": host.toolkit.place.runtime}}
        host.machine.write(CONFIG, json.dumps({"runtimes": runtimes, "storage-driver": "overlay2", **settings}))
        self._log = open(log, "w+", encoding="utf-8")  # noqa: SIM115  # closed with the daemon
        self._daemon = host.machine.start(*DAEMON, log=self._log, PATH=host.path)
        try:
            machine.until(lambda: self("version").returncode == 0, "dockerd's socket", START_S, self._daemon)
        except TimeoutError as error:
            raise UnavailableError(f"Docker does not run here: {error}: {self.said()[-2000:]}") from None
        self.need("load", "-i", images.cuda(), time_s=LOAD_S)

    def __call__(self, *args: str, time_s: float = CLI_S) -> subprocess.CompletedProcess[str]:
        """Run a ``docker`` command."""
        return self.host.machine.run("docker", f"--host=unix://{SOCKET}", *args, time_s=time_s)

    def need(self, *args: str, time_s: float = CLI_S) -> str:
        """Run a command that has to work; what it prints."""
        done = self(*args, time_s=time_s)
        assert done.returncode == 0, f"{done.stderr}\n{self.said()[-2000:]}"
        return done.stdout

    def said(self) -> str:
        """The daemon's log."""
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """End the daemon, and wait for it."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            with open(self.host.machine.file("/run/docker.pid"), encoding="ascii") as file:
                self.host.machine.run("kill", "-KILL", file.read().strip())
        self._daemon.kill()
        self._daemon.wait()
        self._log.close()


@contextlib.contextmanager
def running(host: GpuMachine, **settings: Any) -> Iterator[Docker]:
    """A daemon with these settings, ended afterwards."""
    log = f"{host.toolkit.folder}/dockerd.log"
    docker = Docker(host, log, **settings)
    try:
        yield docker
    finally:
        docker.close()
        os.unlink(log)
