"""Docker on a machine of its own: the daemon, which brings its containerd along, and the command line."""

import contextlib
import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from tests.debian import UnavailableError
from tests.engines import images, inside
from tests.engines.daemon import Daemon
from tests.engines.gpu import GpuMachine

RELEASES = {"20.10": "bookworm", "26": "trixie", "28": "sid"}
"""The Debian release that has a version of Docker."""

HOOK = "nvidia-container-runtime-hook"
SOCKET = "/run/docker.sock"
CONFIG = "/etc/docker/daemon.json"
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

    def __init__(self, host: GpuMachine, **settings: Any) -> None:
        self.host = host
        self._settings = settings
        self._configure()
        self._daemon = Daemon(host.machine, *DAEMON, PATH=host.path)
        try:
            self._daemon.wait_until(lambda: self("version").returncode == 0, "socket")
            self.need("load", "-i", images.cuda(), time_s=LOAD_S)
        except BaseException:
            self.close()
            raise

    def _configure(self, **more: Any) -> None:
        runtimes = {"nvidia": {"path": self.host.toolkit.place.runtime}}
        settings = {"runtimes": runtimes, "storage-driver": "overlay2", **self._settings, **more}
        self.host.machine.write(CONFIG, json.dumps(settings))

    @contextlib.contextmanager
    def default_runtime(self, name: str) -> Iterator[None]:
        """Let the daemon read settings with another default runtime, and the old ones afterwards."""
        self._reload_with(name)
        try:
            yield
        finally:
            self._reload_with("runc")

    def _reload_with(self, runtime: str) -> None:
        self._configure(**{"default-runtime": runtime})
        self._daemon.signal("HUP")
        info = ("info", "--format={{.DefaultRuntime}}")
        self._daemon.wait_until(lambda: self.need(*info).strip() == runtime, f"runtime {runtime}")

    def __call__(self, *args: str, time_s: float = CLI_S) -> subprocess.CompletedProcess[str]:
        """Run a ``docker`` command."""
        return self.host.machine.run("docker", f"--host=unix://{SOCKET}", *args, time_s=time_s)

    def need(self, *args: str, time_s: float = CLI_S) -> str:
        """Run a command that has to work; what it prints."""
        done = self(*args, time_s=time_s)
        assert done.returncode == 0, f"{done.stderr}\n{self._daemon.last_words()}"
        return done.stdout

    def run(self, *options: str, command: Sequence[str] = inside.LIST_GPUS) -> str:
        """What a command prints in a container; the container is gone afterwards."""
        return self.need("run", "--rm", *options, images.CUDA, *command)

    def gpu(self, *options: str, command: Sequence[str] = inside.LIST_GPUS) -> str:
        """The same in a container that linkspan's runtime starts."""
        return self.run("--runtime=nvidia", *options, command=command)

    @contextlib.contextmanager
    def container(self, *options: str) -> Iterator[str]:
        """A container that lives for a while; its name."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.need("run", "--detach", "--init", f"--name={name}", *options, images.CUDA, "sleep", "infinity")
        try:
            yield name
        finally:
            self.need("rm", "--force", name)

    def need_privileged(self) -> None:
        """UnavailableError where none starts: Docker 20.10 asks for every capability, also for those it has not."""
        done = self("run", "--rm", "--privileged", images.CUDA, "true")
        if done.returncode:
            raise UnavailableError(
                f"no privileged container starts, even without linkspan: {done.stderr.splitlines()[0]}"
            )

    def need_gpus(self) -> None:
        """UnavailableError where the daemon found no hook when it started."""
        if not os.path.exists(f"{self.host.toolkit.place.prefix}/bin/{HOOK}"):
            raise UnavailableError(f"linkspan has no {HOOK}, without which Docker does not know --gpus")

    def need_cdi(self) -> None:
        """UnavailableError where ``--device`` takes paths alone."""
        if self.host.release == "bookworm":
            raise UnavailableError("Docker 20.10 does not know CDI")

    def close(self) -> None:
        """End the daemon."""
        self._daemon.close()


@contextlib.contextmanager
def running(host: GpuMachine, **settings: Any) -> Iterator[Docker]:
    """A daemon with these settings, ended afterwards."""
    with contextlib.closing(Docker(host, **settings)) as docker:
        yield docker
