"""What a build takes from the network, in a folder: Debian packages with an index of them, and wheels."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tests import debian

SUITE = "trixie"
PYTHON = "3.13"
"""That of the suite."""
DEBS = ("python3", "python3-venv", "cmake", "ninja-build", "gcc", "libc6-dev")
WHEELS = ("httpx>=0.27", "setuptools", "wheel", "tritonclient[all]==2.73.0")
DOWNLOAD_S = 600
SETTINGS = {
    "/etc/pip.conf": "[global]\nno-index = true\nfind-links = /mnt/wheels\n",
    "/etc/apt/sources.list": "deb [trusted=yes] file:/mnt/debs ./\n",
    "/etc/dpkg/dpkg.cfg.d/docker-apt-speedup": "force-unsafe-io\n",
}
"""What an image needs to find them, as one has for a company's own mirror. dpkg is quick, as in real ones."""


def folder() -> str:
    """The cached folder, with ``debs`` and ``wheels``."""

    def build(path: str) -> None:
        _debs(f"{path}/debs", DEBS)
        _wheels(f"{path}/wheels", WHEELS)

    return debian.cached("builders-served", (SUITE, DEBS, WHEELS, 3), build)


def _debs(path: str, packages: Sequence[str]) -> None:
    os.mkdir(path)
    with debian.archive(SUITE, "main") as archive:
        archive.fetch_with_dependencies(packages, path)
    with open(f"{path}/Packages", "w", encoding="utf-8") as index:
        for name in sorted(os.listdir(path)):
            if name.endswith(".deb"):
                index.write(_stanza(path, name))


def _stanza(path: str, name: str) -> str:
    argv = ["dpkg-deb", "--field", f"{path}/{name}"]
    fields = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
    with open(f"{path}/{name}", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{fields.rstrip()}\nFilename: ./{name}\nSize: {os.path.getsize(f'{path}/{name}')}\nSHA256: {digest}\n\n"


def _wheels(path: str, wanted: Sequence[str]) -> None:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    argv += [f"--platform=manylinux_2_{minor}_x86_64" for minor in (17, 28, 34, 39)]
    argv += [f"--python-version={PYTHON}", f"--dest={path}", *wanted]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False
    )
    if done.returncode:
        shutil.rmtree(path, ignore_errors=True)
        raise debian.UnavailableError(f"the wheels cannot be had: {done.stderr.strip().splitlines()[-1:]}")
