"""Which packages of the GPU stack are installed, by the database of dpkg, rpm, apk or pacman."""

import contextlib
import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator

from linkspan.check.eyes import Eyes
from linkspan.facts.host import HostReader

OF_INTEREST = re.compile(
    r"^(docker|moby|containerd|podman|cri-o|crun|runc|kubelet|k3s|rke2|buildah|nerdctl|snapd|linkspan|nvidia|libnvidia"
    r"|libcuda|libnvcuvid|cuda|xserver-xorg-video-nvidia|kmod-nvidia|akmod-nvidia|dkms|kernel-devel|linux-headers|kernel-open"
    r"|linux-modules-nvidia|mokutil|unattended-upgrades|datacenter-gpu-manager|nvidia-fabricmanager|virtualgl"
    r"|nv-prefer|xorg-x11-drv-nvidia|akmods|epel-release|oracle-epel-release|rpmfusion-|gcc$|kernel-.*devel)"
)
DPKG = "/var/lib/dpkg/status"
RPM = ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
APK = "/lib/apk/db/installed"
PACMAN = "/var/lib/pacman/local"
LIMIT = 64 << 20
_NAME, _VERSION, _RELEASE = 1000, 1001, 1002
"""Tags of an rpm header (rpmtag.h)."""


def installed(eyes: Eyes) -> dict[str, str]:
    """Package to version, of the packages of interest, without epoch: ``{"docker-ce": "28.2.2-1~debian.12"}``."""
    none: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, read in _DATABASES:
        found |= eyes.derive("packages", path, read, none)
    return found


def _whole(host: HostReader, path: str) -> str:
    return (host.read(path, 0, LIMIT) or b"").decode("utf-8", "replace")


def _dpkg(host: HostReader, path: str) -> dict[str, str]:
    return _of_interest(_stanzas(_whole(host, path)))


def _stanzas(status: str) -> Iterator[tuple[str, str]]:
    for entry in re.finditer(r"^Package: (\S+)\n((?:.+\n)*)", status, re.MULTILINE):
        version = re.search(r"^Version: (\S+)$", entry[2], re.MULTILINE)
        if version and "Status: install ok installed" in entry[2]:
            yield entry[1], version[1].rpartition(":")[2]


def _apk(host: HostReader, path: str) -> dict[str, str]:
    entries = re.finditer(r"^P:(\S+)\nV:(\S+)$", _whole(host, path), re.MULTILINE)
    return _of_interest((entry[1], entry[2]) for entry in entries)


def _pacman(host: HostReader, path: str) -> dict[str, str]:
    parts = (folder.rpartition("-")[0].rpartition("-") for folder in host.names(path))
    return _of_interest((name, version.rpartition(":")[2]) for name, _, version in parts)


def _of_interest(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: version for name, version in found if OF_INTEREST.match(name)}


def _rpm(host: HostReader, path: str) -> dict[str, str]:
    """Read as a file that nobody writes: sqlite then makes no lock, and changes nothing."""
    real = host.real(path)
    if real is None:
        return {}
    with contextlib.suppress(sqlite3.Error):
        database = sqlite3.connect(f"file:{host.root}{real}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(database):
            names = "SELECT p.blob, n.key FROM Packages p JOIN Name n ON n.hnum = p.hnum"
            return {name: _rpm_version(blob) for blob, name in database.execute(names) if OF_INTEREST.match(name)}
    return {}


def _rpm_version(header: bytes) -> str:
    """Version and release: the header begins with two counts and an index of tag, type, offset, count (big endian)."""
    entries, _ = struct.unpack_from(">II", header)
    texts = {}
    for number in range(entries):
        tag, _, offset, _ = struct.unpack_from(">IIII", header, 8 + 16 * number)
        if tag in (_VERSION, _RELEASE):
            start = 8 + 16 * entries + offset
            texts[tag] = header[start : header.index(b"\0", start)].decode("utf-8", "replace")
    return "-".join(texts[tag] for tag in (_VERSION, _RELEASE) if tag in texts)


_DATABASES = ((DPKG, _dpkg), (APK, _apk), (PACMAN, _pacman), *((path, _rpm) for path in RPM))
