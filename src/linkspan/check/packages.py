"""Which packages of the GPU stack are installed, by the database of dpkg, rpm, apk or pacman."""

import re
from collections.abc import Iterable, Iterator

from linkspan.check.eyes import Eyes
from linkspan.errors import FormatError
from linkspan.facts.host import HostReader
from linkspan.formats import rpmdb

OF_INTEREST = re.compile(
    r"^(docker|moby|containerd|podman|cri-o|crun|runc|kubelet|k3s|rke2|buildah|nerdctl|snapd|linkspan|nvidia|libnvidia"
    r"|libcuda|libnvcuvid|cuda|xserver-xorg-video-nvidia|kmod-nvidia|akmod-nvidia|dkms|kernel-devel|linux-headers|kernel-open"
    r"|linux-modules-nvidia|mokutil|unattended-upgrades|datacenter-gpu-manager|nvidia-fabricmanager|virtualgl"
    r"|nv-prefer|xorg-x11-drv-nvidia|akmods|epel-release|oracle-epel-release|rpmfusion-|gcc$|kernel-.*devel)"
)
DPKG = "/var/lib/dpkg/status"
RPM = tuple(f"{folder}/{name}" for folder in rpmdb.FOLDERS for name in rpmdb.NAMES)
"""Where a database of rpm may be; the first that is there is the one in use: the folders are mostly links to one."""
APK = "/lib/apk/db/installed"
PACMAN = "/var/lib/pacman/local"
LIMIT = 64 << 20


def installed(eyes: Eyes) -> dict[str, str]:
    """Package to version, of the packages of interest, without epoch: ``{"docker-ce": "28.2.2-1~debian.12"}``."""
    none: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, read in _DATABASES:
        found |= eyes.derive("packages", path, read, none)
    return found | (_of_rpm(eyes) or {})


def is_known(eyes: Eyes) -> bool:
    """True where the database of dpkg or rpm is there and can be read: a package that it does not have is not there."""
    return eyes.exists(DPKG) or _of_rpm(eyes) is not None


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


def _rpm(host: HostReader, path: str) -> dict[str, str] | None:
    """Read as a file, page by page: no lock is made, and nothing is changed."""
    try:
        return _of_interest(rpmdb.packages(lambda at, length: host.read(path, at, length) or b"", host.size(path)))
    except FormatError:
        return None


def _of_rpm(eyes: Eyes) -> dict[str, str] | None:
    """The packages of rpm; None where it has no database, or where that cannot be read."""
    none: dict[str, str] | None = None
    path = next(filter(eyes.exists, RPM), "")
    return eyes.derive("packages", path, _rpm, none) if path else none


_DATABASES = ((DPKG, _dpkg), (APK, _apk), (PACMAN, _pacman))
