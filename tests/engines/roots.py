"""The systems that engines run on: Debian releases with their engines, unpacked once and only read afterwards."""

import os
import shutil
from typing import Literal

from tests import debian

Release = Literal["bookworm", "trixie", "sid"]

ENGINES = ("docker.io", "containerd", "podman", "runc", "crun")
TOOLS = (
    "base-files",
    "coreutils",
    "dash",
    "fuse-overlayfs",
    "iproute2",
    "mount",
    "sed",
    "slirp4netns",
    "systemd",
    "tini",
    "uidmap",
    "util-linux",
)
# linkspan runs there with the Python of the machine that runs the tests; these are the libraries of its modules.
OF_PYTHON = ("libexpat1", "libffi8", "zlib1g")
DOCKER_CLI = {"bookworm": (), "trixie": ("docker-cli", "docker-compose"), "sid": ("docker-cli", "docker-compose")}

MERGED = ("bin", "sbin", "lib", "lib64")
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl")

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    "mapped:x:1000:1000:mapped:/home/mapped:/bin/sh\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\nmapped:x:1000:\n",
    "etc/subuid": "mapped:100000:65536\n",
    "etc/subgid": "mapped:100000:65536\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/resolv.conf": "",
}


def root(release: Release) -> str:
    """The cached root of a release, to be read only."""
    packages = (*ENGINES, *TOOLS, *OF_PYTHON, *DOCKER_CLI[release])

    def build(folder: str) -> None:
        for name in MERGED:  # before Debian 13 it is a maintainer script that makes these links
            os.makedirs(f"{folder}/usr/{name}")
            os.symlink(f"usr/{name}", f"{folder}/{name}")
        with debian.archive(release, "main") as archive:
            archive.unpack_with_dependencies(packages, folder)
        for name in NOT_NEEDED:
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
        _write_accounts(folder)

    return debian.cached(f"engines-{release}", (packages, FILES, 2), build)


def _write_accounts(folder: str) -> None:
    for name, text in FILES.items():
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "home/mapped"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    os.chown(f"{folder}/home/mapped", 1000, 1000)
    os.chmod(f"{folder}/etc/passwd", 0o644)
