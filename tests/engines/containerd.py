"""containerd on a machine of its own, with ``ctr`` to ask it."""

import contextlib
import subprocess
import uuid
from collections.abc import Iterator, Sequence

from tests.engines import images, inside
from tests.engines.daemon import Daemon
from tests.engines.gpu import GpuMachine

RELEASES = {"1.6": "bookworm", "1.7": "trixie", "2.1": "sid"}
"""The Debian release that has a version of containerd."""

SOCKET = "/run/containerd/containerd.sock"
CONFIG = "/etc/containerd/config.toml"
RUN_S = 60.0
# No share of the CPU, since the machine's cgroup v2 may lack the controller for it.
RUN = ("run", "--rm", "--cpu-shares=0")
IMAGE = f"docker.io/{images.CUDA}"

NAMESPACES = ("default", "k8s.io")
"""Where ``ctr`` keeps things by itself, and where pods are."""
HANDLER = "nvidia"
"""The handler of the RuntimeClass for linkspan's runtime."""

CONFIG_TEXT = """\
version = 2
root = "/data/containerd"
state = "/run/containerd"
oom_score = 0
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/{pause}"
restrict_oom_score_adj = true
enable_cdi = true
# With any runtime named here, containerd 1 no longer knows its own default one by itself.
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}.options]
BinaryName = "{runtime}"
"""


class Containerd:
    """A running daemon with the image loaded."""

    def __init__(self, host: GpuMachine) -> None:
        self.host = host
        runtime = host.toolkit.place.runtime
        host.machine.write(CONFIG, CONFIG_TEXT.format(pause=images.PAUSE, handler=HANDLER, runtime=runtime))
        self.daemon = Daemon(host.machine, "containerd", f"--config={CONFIG}")
        try:
            self.daemon.wait_until(lambda: self("version").returncode == 0, "socket")
            for namespace in NAMESPACES:
                loaded = self(f"--namespace={namespace}", "images", "import", images.cuda())
                assert loaded.returncode == 0, loaded.stderr
        except BaseException:
            self.close()
            raise

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a ``ctr`` command."""
        return self.host.machine.run("ctr", f"--address={SOCKET}", *args, time_s=RUN_S)

    def need(self, *args: str) -> str:
        """Run a ``ctr`` command on the namespace of pods that has to work; what it prints."""
        done = self("--namespace=k8s.io", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_run(self, *options: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in a container, which is gone afterwards."""
        return self(*RUN, *options, IMAGE, f"test-{uuid.uuid4().hex[:8]}", *command)

    def run(self, *options: str, command: Sequence[str] = inside.LIST_GPUS) -> str:
        """What a command prints in a container; it has to work."""
        done = self.try_run(*options, command=command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def gpu(self, request: str, *options: str, command: Sequence[str] = inside.LIST_GPUS) -> str:
        """The same in a container that linkspan's runtime starts, with a request for GPUs."""
        return self.run(*self.ours(request), *options, command=command)

    def ours(self, request: str) -> tuple[str, ...]:
        """The options for linkspan's runtime and a request for GPUs."""
        runtime = ("--runtime=io.containerd.runc.v2", f"--runc-binary={self.host.toolkit.place.runtime}")
        return (*runtime, f"--env=NVIDIA_VISIBLE_DEVICES={request}")

    @property
    def knows_cdi(self) -> bool:
        """Whether ``ctr run --device`` takes the name of a CDI device."""
        return self.host.release == "sid"

    def close(self) -> None:
        """End the daemon."""
        self.daemon.close()


@contextlib.contextmanager
def running(host: GpuMachine) -> Iterator[Containerd]:
    """A daemon on this machine, ended afterwards."""
    with contextlib.closing(Containerd(host)) as containerd:
        yield containerd
