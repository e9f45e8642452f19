"""Debian's buildah with a store, settings and temporary files of its own, and without a network."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.debian import UnavailableError
from tests.folders import open_folder

BUILD_S = 300
FILES = {
    "registries.conf": 'unqualified-search-registries = ["docker.io"]\n',
    "policy.json": '{"default": [{"type": "insecureAcceptAnything"}]}\n',
    "containers.conf": "",
    "storage.conf": '[storage]\ndriver = "overlay"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n',
}
SERVED = "/mnt"
"""Where a build finds what a network would give it; a folder that every system has, so that none is made for it."""


class Buildah:
    """Buildah below a folder; ``served`` is what each build has at ``/mnt``."""

    def __init__(self, folder: str, served: str) -> None:
        self.folder = folder
        self._served = served
        for name in ("root", "run", "tmp", "home"):
            os.mkdir(f"{folder}/{name}")
        for name, text in FILES.items():
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write(text.format(folder=folder) if name == "storage.conf" else text)

    @property
    def env(self) -> dict[str, str]:
        """The variables that keep buildah, and whoever asks for the same store, away from the machine's own."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": f"{self.folder}/home",
            "TMPDIR": f"{self.folder}/tmp",
            "XDG_RUNTIME_DIR": f"{self.folder}/run",
            "CONTAINERS_CONF": f"{self.folder}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self.folder}/storage.conf",
            "CONTAINERS_REGISTRIES_CONF": f"{self.folder}/registries.conf",
            "BUILDAH_ISOLATION": "chroot",
        }

    def try_run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a ``buildah`` command, in a network namespace with nothing in it; what it mounts is gone with it."""
        options = ("--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", "--storage-driver", "overlay")
        return self._call("buildah", *options, *args)

    def _call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["unshare", "--net", "--mount", *argv],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_S,
            check=False,
        )

    def run(self, *args: str) -> str:
        """The same with a command that has to work; what it prints."""
        done = self.try_run(*args)
        assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def pull(self, archive: str) -> None:
        """Take an image out of an archive that has but one."""
        self.run("pull", "--quiet", f"--signature-policy={self.folder}/policy.json", f"docker-archive:{archive}")

    def build(self, context: str, tag: str) -> None:
        """Build the Dockerfile of a folder from images that are here already."""
        self.run("bud", "--pull-never", f"--volume={self._served}:{SERVED}:ro", f"--tag={tag}", context)

    def push(self, tag: str, target: str) -> str:
        """Copy an image to where a transport says, as ``oci:/path``."""
        self.run("push", "--quiet", f"--signature-policy={self.folder}/policy.json", tag, target)
        return target

    def copy_out(self, name: str, layout: str) -> str:
        """Have skopeo copy an image from this store to a layout; the layout's path."""
        if not shutil.which("skopeo"):
            raise UnavailableError("skopeo is not installed")
        source = f"containers-storage:[overlay@{self.folder}/root+{self.folder}/run]{name}"
        done = self._call("skopeo", "--insecure-policy", "copy", "--quiet", source, f"oci:{layout}")
        assert done.returncode == 0, done.stderr
        return layout

    def config(self, tag: str) -> dict[str, Any]:
        """What an image's configuration says of running it."""
        found: dict[str, Any] = json.loads(self.run("inspect", "--type=image", tag))["OCIv1"]["config"]
        return found

    @contextlib.contextmanager
    def container(self, tag: str) -> Iterator[str]:
        """The name of a container of an image, gone afterwards."""
        name = self.run("from", "--pull-never", tag).strip()
        try:
            yield name
        finally:
            self.run("rm", name)

    @contextlib.contextmanager
    def mounted(self, tag: str) -> Iterator[str]:
        """Where the root file system of a container of an image is, as ``buildah mount`` has it, gone afterwards.

        It is mounted in a namespace of its own, which is entered by the root of a process that waits there.
        """
        options = f"--root {self.folder}/root --runroot {self.folder}/run --storage-driver overlay"
        with self.container(tag) as name:
            line = f"buildah {options} mount {name} && exec cat"
            argv = ["unshare", "--net", "--mount", "sh", "-c", line]
            pipe = subprocess.PIPE
            waiting = subprocess.Popen(argv, env=self.env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            try:
                assert waiting.stdout is not None
                place = waiting.stdout.readline().strip()
                assert place, "buildah mounts no container here"
                yield f"/proc/{waiting.pid}/root{place}"
            finally:
                waiting.kill()
                waiting.communicate(timeout=20)

    def start(self, tag: str, *command: str) -> subprocess.CompletedProcess[str]:
        """What a command does in a container of an image, by default the image's own one."""
        chosen = command or tuple(self.config(tag)["Cmd"])
        with self.container(tag) as name:
            return self.try_run("run", name, "--", *chosen)


@contextlib.contextmanager
def opened(served: str) -> Iterator[Buildah]:
    """A buildah, whose images are gone afterwards; UnavailableError where there is none."""
    for program in ("buildah", "unshare"):
        if not shutil.which(program):
            raise UnavailableError(f"{program} is not installed")
    if os.geteuid():
        raise UnavailableError("only root builds images here")
    with open_folder("buildah") as folder:
        yield Buildah(folder, served)
