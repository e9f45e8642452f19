"""A machine of its own for each engine: namespaces around a Debian release with a GPU driver and linkspan on it.

Its processes, mounts, network and cgroups are apart from those of the machine that runs the tests, and its first
process, ``boot.sh``, takes all of them along when it ends.
"""

import contextlib
import glob
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Literal

from linkspan.store import launchers
from tests import mounts
from tests.debian import UnavailableError
from tests.engines import cgroups

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = sys.executable
"""Runs linkspan there, as it does here."""

OF_GLIBC = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so", "libnsl.so", "libresolv.so")

Init = Literal["tini", "systemd"]
"""What runs as the first process."""

BOOT_S = 20.0
END_S = 20.0
COMMAND_S = 60.0

# The machine ends with the test process, also when that is killed.
NAMESPACES = ("setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "-m", "-p", "-n", "-i", "-u")
# $1: the cgroups to enter, one a line; the rest: the command.
JOIN = 'for folder in $1; do mkdir -p "$folder"; echo $$ >"$folder/cgroup.procs" || exit; done; shift; exec "$@"'


class Machine:
    """A running machine; commands run in it as root, each with an end."""

    def __init__(
        self, lower: str, work: str, shared: Sequence[str], *, version: cgroups.Version, init: Init = "tini"
    ) -> None:
        self.name = cgroups.new_name()
        self.work = work
        self._folders = cgroups.make(self.name, version)
        # Without a name, so that nothing of it is left however the tests end.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed with the machine
        self._of_commands = cgroups.FIRST if init == "tini" else cgroups.BESIDE
        own = cgroups.FIRST if init == "tini" else "."  # systemd takes its own for the top, and hands controllers down
        boot = (f"{HERE}/boot.sh", lower, work, version, init, *shared)
        # The cgroup that is the machine's root hands controllers down: under v2 it may hold no process itself.
        argv = _joined(self._folders, ["unshare", "-C", *self._in_cgroup(own, [*NAMESPACES, *boot])])
        self.pid = 0
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        try:
            self.pid = int(self._read_line())
            self._read_line()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End everything that runs in it, and remove its cgroups."""
        if self.pid:  # with its first process the kernel ends all others, and unshare ends when that has
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        else:
            self._process.kill()
        with self._process:
            self._process.wait(END_S)
        cgroups.remove(self._folders)
        self._log.close()

    @property
    def cgroups(self) -> list[str]:
        """The folders of its cgroups, in each hierarchy."""
        return self._folders

    def file(self, path: str) -> str:
        """The path outside of a file of the machine; only for paths without absolute links in them."""
        return f"/proc/{self.pid}/root{path}"

    def write(self, path: str, text: str) -> None:
        """Write a file of the machine."""
        os.makedirs(os.path.dirname(self.file(path)), exist_ok=True)
        with open(self.file(path), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *argv: str, time_s: float = COMMAND_S, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and read what it says; it is killed when it takes longer."""
        return subprocess.run(
            self._inside(argv),
            env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=time_s,
            check=False,
        )

    def need(self, *argv: str) -> str:
        """Run a command that has to work; what it prints."""
        done = self.run(*argv)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *argv: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a program, and leave it running; it ends with the machine at the latest."""
        settings = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **env}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self._inside(argv), env=settings, stdin=quiet, stdout=quiet, stderr=quiet)

    def _inside(self, argv: Sequence[str]) -> list[str]:
        enter = ("nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "--root", "--wdns=/")
        return self._in_cgroup(self._of_commands, [*enter, *argv])

    def _in_cgroup(self, name: str, argv: Sequence[str]) -> list[str]:
        return _joined([f"{folder}/{name}" for folder in self._folders], argv)

    def _read_line(self) -> str:
        assert self._process.stdout
        if not select.select([self._process.stdout], [], [], BOOT_S)[0]:
            raise UnavailableError(f"the machine for an engine did not get up in {BOOT_S:.0f} s: {self._said()}")
        line = self._process.stdout.readline().strip()
        if not line:
            raise UnavailableError(f"this machine can hold no engine: {self._said()}")
        return line

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().strip()


def _joined(folders: Sequence[str], argv: Sequence[str]) -> list[str]:
    return ["sh", "-c", JOIN, "sh", "\n".join(folders), *argv]


@contextlib.contextmanager
def boot(lower: str, *shared: str, version: cgroups.Version = "v1", init: Init = "tini") -> Iterator[Machine]:
    """A machine on the system ``lower``; ``shared`` are files and folders of ours that it sees where they are."""
    mounts.enter_private_mounts()
    with tempfile.TemporaryDirectory(prefix="linkspan-engine-") as work:
        machine = Machine(lower, work, [*of_python(), *of_system_python(lower), *shared], version=version, init=init)
        try:
            _need_python(machine)
            yield machine
        finally:
            machine.close()


def of_python() -> list[str]:
    """What linkspan consists of, and the Pythons that run it: that of the tests, and that of container starts."""
    found = {REPOSITORY}
    for program in (os.path.realpath(sys.executable), launchers.interpreter()):
        prefix = os.path.dirname(os.path.dirname(program))
        parts = {program, f"{prefix}/lib/{os.path.basename(program)}"}
        found |= parts if prefix in ("/usr", "/usr/local") else {prefix}
    return sorted(found)


def of_system_python(lower: str) -> list[str]:
    """What the tests' Python needs beside, where it is this system's own and ``lower`` lacks it."""
    program = os.path.realpath(sys.executable)
    if os.path.dirname(program) != "/usr/bin":
        return []
    wanted = {"/usr/bin/python3", *_libraries(program)}
    return sorted(path for path in wanted if not os.path.lexists(f"{lower}{path}"))


def _libraries(python: str) -> set[str]:
    """What a system's own Python and its modules link to, beside the C library that every system has."""
    modules = glob.glob(f"/usr/lib/{os.path.basename(python)}/lib-dynload/*.so")
    done = subprocess.run(["ldd", python, *modules], capture_output=True, text=True, timeout=60, check=False)
    found = {line.split()[2] for line in done.stdout.splitlines() if " => /" in line}
    return {path for path in found if not os.path.basename(path).startswith(OF_GLIBC)}


def _need_python(machine: Machine) -> None:
    done = machine.run(PYTHON, "-c", "import ctypes, linkspan.store.render")
    if done.returncode:
        raise UnavailableError(f"the Python of the tests does not run on that system: {done.stderr.strip()}")
