"""A fresh Debian with its own Python, to install packages on: a tree that is entered by chroot and thrown away."""

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator

from tests import debian, mounts

PROGRAM_TIME_S = 120
PACKAGES = ("python3", "runc")
# What changes by itself, and what a package manager notes about any package at all.
NOISE = {"var/log", "var/lib/dpkg", "var/lib/rpm", "root/.rpmdb", "var/cache", "proc", "tmp"}


class Machine:
    """A Debian below a folder."""

    def __init__(self, root: str) -> None:
        self.root = root

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program there, with the environment of a bare root shell."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            ["chroot", self.root, *command],
            env={"PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIME_S,
            check=False,
        )

    def run(self, *command: str) -> str:
        """What a program there prints that has to succeed, and to complain of nothing."""
        done = self.call(*command)
        assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def take(self, path: str) -> str:
        """Copy a file into the machine's /tmp; its path there."""
        shutil.copy(path, f"{self.root}/tmp")
        return f"/tmp/{os.path.basename(path)}"

    def write(self, path: str, text: str) -> None:
        """Put a program there by hand."""
        os.makedirs(os.path.dirname(f"{self.root}{path}"), exist_ok=True)
        with open(f"{self.root}{path}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{self.root}{path}", 0o755)

    def has(self, path: str) -> bool:
        """Whether there is something at a path, if only a link that leads nowhere."""
        return os.path.lexists(f"{self.root}{path}")

    def files(self) -> dict[str, tuple[int, int, str]]:
        """Every path there is, with mode, owner, and where a link leads to."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if self._inside(folder, name) not in NOISE]
            for name in [*folders, *names]:
                status = os.lstat(f"{folder}/{name}")
                target = os.readlink(f"{folder}/{name}") if stat.S_ISLNK(status.st_mode) else ""
                found[self._inside(folder, name)] = (status.st_mode, status.st_uid, target)
        return found

    def _inside(self, folder: str, name: str) -> str:
        return os.path.relpath(f"{folder}/{name}", self.root)


@contextlib.contextmanager
def fresh() -> Iterator[Machine]:
    """A machine that nothing was installed on yet."""
    with mounts.overlay(debian_with_python()) as root:
        mounts.mount("proc", f"{root}/proc", "proc")
        try:
            yield Machine(root)
        finally:
            mounts.unmount(f"{root}/proc")


def debian_with_python() -> str:
    """Debian 12 with the Python that it comes with."""

    def build(folder: str) -> None:
        debian.debootstrap("bookworm", folder, *PACKAGES)
        for name in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
        os.mkdir(f"{folder}/usr/share/doc")  # every system has it, and no package of ours
        with open(f"{folder}/etc/dpkg/dpkg.cfg.d/unsafe-io", "w", encoding="ascii") as file:
            file.write("force-unsafe-io\n")  # nothing here has to outlive a crash

    return debian.cached("root-python", ("bookworm", PACKAGES, 3), build)
