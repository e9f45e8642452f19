"""A root filesystem for the demo's containers, made of this machine's own C library: no image, no registry."""

import os
import shutil
from importlib import resources

from linkspan.errors import HostError
from linkspan.formats import ldcache

PROBE = "/usr/bin/linkspan-probe"
# What the driver's libraries and programs need; glibc 2.34 has them all in libc.so.6, older ones do not.
NEEDED = ("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1")
# Architecture: ELF machine, and the loader, whose path is written into every program.
MACHINES = {"x86_64": (62, "/lib64/ld-linux-x86-64.so.2"), "aarch64": (183, "/lib/ld-linux-aarch64.so.1")}
FOLDERS = ("dev", "etc", "proc", "sys", "tmp", "usr/bin", "usr/lib", "run", "var")
SPLIT = ("bin", "lib", "lib64", "sbin")
"""Top-level folders that most systems link into /usr; where this one does, the container does."""


def make(root: str) -> None:
    """Make a root filesystem in a new folder. HostError where this machine has no C library to take."""
    for folder in FOLDERS:
        os.makedirs(f"{root}/{folder}")
    for name in SPLIT:
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
            os.makedirs(os.path.normpath(f"{root}/{os.readlink(f'/{name}').lstrip('/')}"), exist_ok=True)
    for path in _c_library():
        _copy(path, root + os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path))
    probe = resources.files("linkspan.sim").joinpath("native", "probe")
    with resources.as_file(probe) as compiled:
        _copy(os.fspath(compiled), root + PROBE)


def _c_library() -> list[str]:
    """The files of this machine's glibc that the container gets, by the names under which they are looked for."""
    machine = os.uname().machine
    number, loader = MACHINES.get(machine, (0, ""))
    try:
        with open("/etc/ld.so.cache", "rb") as file:
            entries = ldcache.parse(file.read())
    except FileNotFoundError:
        entries = []
    flags = ldcache.flags_for(number, 64) if number else 0
    found = {name: path for name, path, kind, _, _ in reversed(entries) if kind == flags and name in NEEDED}
    if "libc.so.6" not in found or not os.path.exists(loader):
        hint = "the demo runs where there is glibc for x86_64 or aarch64"
        raise HostError("this machine has no glibc to make the demo's containers of", hint=hint, subject=machine)
    return [loader, *found.values()]


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, 0o755)  # noqa: S103  # a program and what it loads, for anybody in the container
