"""Podman on a machine of its own: as root and as an ordinary user, over runc and over crun."""

import functools
import subprocess
from collections.abc import Sequence
from typing import Literal

from tests.debian import UnavailableError
from tests.engines import images, inside
from tests.engines.gpu import GpuMachine

RELEASES = {"4.3": "bookworm", "5.4": "trixie", "5.8": "sid"}
"""The Debian release that has a version of Podman."""

User = Literal["root", "user"]

USER_ID = 1000
RUN_S = 60.0
FILES = {
    "/etc/containers/registries.conf": 'unqualified-search-registries = ["docker.io"]\n',
    "/etc/containers/policy.json": '{"default": [{"type": "insecureAcceptAnything"}]}\n',
    # Podman takes the highest that it knows, which takes a capability that not every machine gives.
    "/etc/containers/containers.conf": '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
}
FOLDERS = {"root": ("/data/podman", "/run/podman"), "user": ("/data/rootless", f"/run/user/{USER_ID}")}
# No limit, since the machine's cgroup v2 may lack the controller for it; -1 would be written there, too.
RUN = ("run", "--rm", "--network=none", "--pids-limit=0")
AS_USER = ("setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups", "env", "--chdir=/home/mapped")


class Podman:
    """One user's Podman on a running machine, with the image loaded."""

    def __init__(self, host: GpuMachine, user: User) -> None:
        self.host = host
        self.user = user
        for path, text in FILES.items():
            host.machine.write(path, text)
        storage, state = FOLDERS[user]
        host.machine.need("install", "-d", f"--owner={USER_ID if user == 'user' else 0}", storage, state)
        self._options = (f"--root={storage}", f"--runroot={state}/storage", "--storage-driver=overlay")
        done = self("load", "--quiet", "--input", images.cuda())
        if done.returncode:
            raise UnavailableError(f"Podman does not run here: {done.stderr}")

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a ``podman`` command."""
        env = {"PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
        if self.user == "root":
            return self.host.machine.run("podman", *self._options, *args, time_s=RUN_S, **env)
        env |= {"HOME": "/home/mapped", "USER": "mapped", "XDG_RUNTIME_DIR": FOLDERS["user"][1]}
        return self.host.machine.run(*AS_USER, "podman", *self._options, *args, time_s=RUN_S, **env)


class Way:
    """Podman over one low-level runtime, or over ours."""

    def __init__(self, podman: Podman, runtime: str) -> None:
        self.podman = podman
        self._runtime = f"--runtime={runtime}"

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a ``podman`` command."""
        return self.podman(self._runtime, *args)

    def run(self, *options: str, command: Sequence[str] = inside.LIST_GPUS) -> str:
        """What a command prints in a container; the container is gone afterwards."""
        done = self(*RUN, *options, images.CUDA, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout


@functools.cache
def why_not(podman: Podman, runtime: str) -> str:
    """Empty where this low-level runtime starts a container with a device of the machine; else why not."""
    done = podman(f"--runtime={runtime}", *RUN, "--device=/dev/full", images.CUDA, "true")
    return "" if done.returncode == 0 else f"no container with a device starts here: {done.stderr.splitlines()[-1]}"


def need(podman: Podman, runtime: str) -> Way:
    """Podman over a runtime; UnavailableError where that starts no container here."""
    if reason := why_not(podman, runtime):
        raise UnavailableError(reason)
    return Way(podman, runtime)
