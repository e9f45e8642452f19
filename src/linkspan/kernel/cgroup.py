"""Lets a created container reach device nodes: its device cgroup, version 1 or 2.

Version 1 has a file to write rules into. Version 2 has BPF programs, of which each has to agree (``bpf``).
"""

import errno
import posix as os

from linkspan.errors import KernelError
from linkspan.formats import cgroups
from linkspan.kernel import bpf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Rule = dict[str, Any]

WHOLE_RANGE = b"0 0 4294967295"


_MARKS = {1: "devices.allow", 2: "cgroup.procs"}
"""A file by which a folder is seen to be a cgroup of each version; another mount may cover the place."""


class Devices:
    """The device cgroup of one process, found from outside and held by a descriptor."""

    __slots__ = ("_folder", "_version", "path")

    def __init__(self, process: int) -> None:
        """Find that of a process, given as a descriptor of its folder in /proc.

        Raises KernelError where this machine has none for it.
        """
        of_process = _read_at(process, "cgroup")
        for version, path in cgroups.device_cgroups(of_process, _read("/proc/self/mountinfo")):
            folder = _open(path, _MARKS[version])
            if folder is not None:
                self._version, self.path, self._folder = version, path, folder
                return
        raise KernelError("no device cgroup of the container is mounted here", hint="is /sys/fs/cgroup mounted?")

    def allow(self, rules: "Sequence[Rule]") -> None:
        """Allow what these rules (entries of ``linux.resources.devices``) allow. KernelError where it is refused."""
        try:
            if self._version == 1:
                self._write(rules)
            else:
                bpf.allow_devices(self._folder, rules)
        except OSError as error:
            raise KernelError(
                f"cannot allow devices in the cgroup {self.path}: {error.strerror}",
                hint=_hint(error),
                subject=self.path,
            ) from None

    def _write(self, rules: "Sequence[Rule]") -> None:
        fd = os.open("devices.allow", os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            for rule in rules:
                os.write(fd, f"{rule['type']} {rule['major']}:{rule['minor']} {rule['access']}".encode())
        finally:
            os.close(fd)


def _open(path: str, mark: str) -> "int | None":
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        os.stat(mark, dir_fd=folder)
    except OSError:
        os.close(folder)
        return None
    return folder


def are_ours() -> bool:
    """Whether device cgroups are for us to change: not from within a user namespace, where all nodes are the engine's.

    So it is decided for each container, and not by a switch for all (contract 1.2, ``no-cgroups``).
    """
    return _read("/proc/self/uid_map").split() == WHOLE_RANGE.split()


def _hint(error: OSError) -> str:
    if error.errno == errno.EPERM:
        return "the prestart hook has to run as root, outside of any container"
    return "start the container with --runtime=nvidia, which declares its devices first" if error.errno else ""


def _read_at(folder: int, name: str) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return b"".join(iter(lambda: os.read(fd, 65536), b""))
    finally:
        os.close(fd)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
