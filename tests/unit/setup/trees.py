"""Trees that stand for hosts to be set up: a distribution, GPUs, and what is there already."""

import os
from collections.abc import Iterable

from tests import hosts
from tests.unit.check.os_releases import RELEASES

KERNELS = {
    "debian-11": "5.10.0-34-amd64",
    "debian-12": "6.1.0-37-amd64",
    "debian-13": "6.12.38+deb13-amd64",
    "debian-sid": "6.16.3+deb14-amd64",
    "ubuntu-20.04": "5.4.0-216-generic",
    "ubuntu-22.04": "5.15.0-143-generic",
    "ubuntu-24.04": "6.8.0-64-generic",
    "ubuntu-26.04": "7.0.0-12-generic",
    "mint-22": "6.8.0-64-generic",
    "rhel-9": "5.14.0-427.18.1.el9_4.x86_64",
    "centos-stream-9": "5.14.0-587.el9.x86_64",
    "rocky-8": "4.18.0-553.58.1.el8_10.x86_64",
    "alma-10": "6.12.0-55.18.1.el10_0.x86_64",
    "oracle-9": "5.15.0-309.180.4.el9uek.x86_64",
    "fedora-42": "6.15.6-200.fc42.x86_64",
    "sles-15": "6.4.0-150600.23.53-default",
    "leap-15": "6.4.0-150600.23.53-default",
    "sles-16": "6.12.0-160000.5-default",
    "leap-16": "6.12.0-160000.5-default",
    "tumbleweed": "6.15.5-1-default",
    "amazon-2": "5.10.238-231.953.amzn2.x86_64",
    "amazon-2023": "6.1.141-155.222.amzn2023.x86_64",
}

GPUS = {
    "Kepler": "0x1021",
    "Maxwell": "0x13f2",
    "Pascal": "0x15f8",
    "Volta": "0x1db1",
    "Turing": "0x1eb8",
    "Ampere": "0x20b2",
    "Ada": "0x26b9",
    "Hopper": "0x2330",
    "Grace Hopper": "0x2342",
    "Blackwell": "0x2901",
    "Blackwell Ultra": "0x3182",
}
SWITCH = "0x22a3"

_DEBIAN = """Types: deb
URIs: http://mirror.example/debian
Suites: {codename} {codename}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: {codename}-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_SOURCES = {
    "debian-11": {"/etc/apt/sources.list": "deb http://mirror.example/debian bullseye main\n"},
    "debian-12": {"/etc/apt/sources.list.d/debian.sources": _DEBIAN.format(codename="bookworm")},
    "debian-13": {"/etc/apt/sources.list.d/debian.sources": _DEBIAN.format(codename="trixie")},
    "debian-sid": {"/etc/apt/sources.list": "deb http://mirror.example/debian unstable main\n"},
    "ubuntu-20.04": {"/etc/apt/sources.list": "deb http://mirror.example/ubuntu focal main universe\n"},
    "ubuntu-24.04": {
        "/etc/apt/sources.list.d/ubuntu.sources": "Types: deb\nURIs: http://mirror.example/ubuntu/\n"
        "Suites: noble noble-updates\nComponents: main universe restricted multiverse\n"
        "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"
    },
    "ubuntu-22.04": {"/etc/apt/sources.list": "deb http://mirror.example/ubuntu jammy main restricted\n"},
    "ubuntu-26.04": {"/etc/apt/sources.list": "deb http://mirror.example/ubuntu resolute main restricted\n"},
    "mint-22": {"/etc/apt/sources.list.d/official.list": "deb http://mirror.example/ubuntu noble main restricted\n"},
}

NOUVEAU = "nouveau 2871296 0 - Live 0x0000000000000000\n"
NOT_SECURE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MOK = "605dab50-e046-4300-abb6-3dd810dd8b23"


def device(number: int, device_id: str, class_id: str = "0x030200") -> dict[str, str]:
    """A PCI device of NVIDIA's."""
    folder = f"/sys/bus/pci/devices/0000:{number:02x}:00.0"
    return {f"{folder}/vendor": "0x10de\n", f"{folder}/device": f"{device_id}\n", f"{folder}/class": f"{class_id}\n"}


def tree(distribution: str, gpus: Iterable[str] = ("Hopper",), *, switches: int = 0) -> dict[str, str | bytes]:
    """A freshly installed host of this distribution, with GPUs of these generations."""
    made: dict[str, str | bytes] = {
        "/etc/os-release": RELEASES[distribution],
        "/proc/sys/kernel/osrelease": f"{KERNELS.get(distribution, '6.6.0-1')}\n",
        "/proc/modules": "",
        "/usr/bin/systemctl": "",
        **_SOURCES.get(distribution, {}),
        **({"/var/lib/dpkg/status": ""} if distribution in _SOURCES else {}),
    }
    for number, name in enumerate(gpus):
        made |= device(number + 1, GPUS.get(name, name))
    for number in range(switches):
        made |= device(0xA0 + number, SWITCH, "0x068000")
    return made


def secure_boot(*, enrolled: bytes = b"", asked: bytes = b"") -> dict[str, bytes]:
    """A firmware with Secure Boot, and the keys that its shim trusts, or is to be asked to trust."""
    made = {
        NOT_SECURE: b"\6\0\0\0\1",
        f"/sys/firmware/efi/efivars/MokListRT-{MOK}": b"\6\0\0\0head" + enrolled + b"tail",
    }
    return made | ({f"/sys/firmware/efi/efivars/MokNew-{MOK}": b"\7\0\0\0" + asked} if asked else {})


def dpkg(*packages: str) -> dict[str, str]:
    """The database of dpkg with these packages, each ``NAME=VERSION`` or a name alone."""
    pairs = (package.partition("=") for package in packages)
    text = "\n".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: {version or '1.0'}\n" for name, _, version in pairs
    )
    return {"/var/lib/dpkg/status": text}


def loaded(version: str = "550.163.01") -> dict[str, str]:
    """A kernel with the driver in it."""
    line = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Apr  8\n"
    return {"/proc/driver/nvidia/version": line, "/proc/modules": "nvidia 1 0 - Live 0x0\n"}


def put(root: object, *trees: dict[str, str | bytes]) -> str:
    """Write the trees one over the other; programs can be run."""
    whole: dict[str, str | bytes] = {}
    for one in trees:
        whole |= one
    made = hosts.make(root, whole)
    for path in whole:
        if "/bin/" in path or "/sbin/" in path:
            os.chmod(f"{made}{path}", 0o755)
    return made
