"""Container root filesystems for tests, as images have them: built once, with a fresh overlay for each use."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Literal

from tests import debian, mounts

Kind = Literal["debian", "no-loader-cache", "musl"]
KINDS: tuple[Kind, ...] = ("debian", "no-loader-cache", "musl")

MUSL_PACKAGES = ("busybox-static", "musl", "musl-dev")
MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"


@contextlib.contextmanager
def fresh_root(kind: Kind = "debian") -> Iterator[str]:
    """A root filesystem that nobody has used yet: Debian's, but for ``musl``."""
    with mounts.overlay(musl() if kind == "musl" else debian_minimal()) as root:
        if kind == "no-loader-cache":
            os.unlink(f"{root}/etc/ld.so.cache")
        yield root


def give_folders_to(root: str, owner: int) -> None:
    """Hand a root's folders to the root of a user namespace, as engines do with all of it: mount points go there."""
    for top, _, _ in os.walk(root):
        os.chown(top, owner, owner)


def debian_minimal() -> str:
    """Debian 12 as its smallest image has it, without downloaded packages."""

    def build(folder: str) -> None:
        debian.debootstrap("bookworm", folder)
        tidy(folder)

    return debian.cached("root-debian", ("bookworm", 1), build)


def tidy(folder: str) -> None:
    """Take away what debootstrap leaves behind, and no image has."""
    for name in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
        shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
    for name in ("dev", "proc", "sys"):  # the container's own; debootstrap leaves nodes in dev
        shutil.rmtree(f"{folder}/{name}")
        os.mkdir(f"{folder}/{name}")


def musl() -> str:
    """A root as Alpine has it: busybox, musl, and a program linked to musl that opens libraries by name."""

    def build(folder: str) -> None:
        _unpack_musl(folder)
        for name in ("dev", "proc", "sys", "tmp", "run", "etc", "usr/lib"):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
        subprocess.run([f"{folder}/bin/busybox", "--install", "-s", f"{folder}/bin"], check=True, timeout=60)
        for name in os.listdir(f"{folder}/bin"):
            if os.path.islink(f"{folder}/bin/{name}"):
                os.unlink(f"{folder}/bin/{name}")
                os.symlink("busybox", f"{folder}/bin/{name}")

    return debian.cached("root-musl", ("bookworm", MUSL_PACKAGES, 2), build)


def _unpack_musl(folder: str) -> None:
    if not shutil.which("gcc"):
        raise debian.UnavailableError("gcc, which builds the musl program of this test, is not installed")
    with debian.archive("bookworm", "main") as archive:
        archive.unpack(MUSL_PACKAGES, folder)
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "privileged", "dlopen.c")
    _compile_for_musl(source, f"{folder}/bin/dlopen", folder)
    for name in ("usr/include", "usr/share", "usr/lib/x86_64-linux-musl", "etc"):  # Alpine has no path file in etc
        shutil.rmtree(f"{folder}/{name}")


def _compile_for_musl(source: str, program: str, root: str) -> None:
    """What musl-gcc does, on a musl that is unpacked and not installed."""
    parts = f"{root}/usr/lib/x86_64-linux-musl"
    flags = ["-nostdinc", "-isystem", f"{root}/usr/include/x86_64-linux-musl", "-nostdlib", "-no-pie", "-fno-pie"]
    objects = [
        f"{parts}/crt1.o",
        f"{parts}/crti.o",
        source,
        f"-L{root}/lib/x86_64-linux-musl",
        "-lc",
        f"{parts}/crtn.o",
    ]
    subprocess.run(
        ["gcc", *flags, "-o", program, *objects, f"-Wl,-dynamic-linker,{MUSL_LOADER}"], check=True, timeout=60
    )
