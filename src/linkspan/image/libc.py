"""Which glibc an image has, by its file's name, its package, or its release."""

import re

from linkspan.image.model import Image
from linkspan.image.packages import named

_FILE = re.compile(r"libc-(\d+\.\d+)\.so")
_FOLDER = re.compile(r"(/usr)?/lib(64)?(/[a-z0-9_]+-linux-gnu[a-z0-9]*)?")
_PACKAGE = re.compile(r"libc6|glibc")
"""In Debian and its children, and in all others; apk has it in Wolfi, and as what is added to Alpine."""
_VERSION = re.compile(r"(?:\d+:)?(\d+\.\d+)")
_SUSE = {"12.5": "2.22", "15": "2.26", "15.3": "2.31", "15.4": "2.31", "15.5": "2.31", "15.6": "2.38", "15.7": "2.38"}
_RELEASES = {
    "rhel": {"7": "2.17", "8": "2.28", "9": "2.34", "10": "2.39"},
    "fedora": {"39": "2.38", "40": "2.39", "41": "2.40", "42": "2.41", "43": "2.42"},
    "amzn": {"2": "2.26", "2023": "2.34"},
    "sles": _SUSE,
    "opensuse-leap": _SUSE,
    "azurelinux": {"3": "2.38"},
}
"""For images whose database of packages was taken out: the glibc that a release has from its first day to its last."""
_LIKE_RHEL = frozenset({"rhel", "centos", "rocky", "almalinux", "ol"})


def glibc(image: Image) -> str:
    """The version of glibc, ``2.35``; empty where the image has none, or nothing tells it."""
    return _of_file(image) or _of_package(image) or _of_release(image)


def _of_file(image: Image) -> str:
    names = ((match[1], image.by_name[name]) for name in image.by_name if (match := _FILE.fullmatch(name)))
    # A compiler of conda's brings the libc of an older system to link with.
    return next((version for version, found in names if any(_FOLDER.fullmatch(one.folder) for one in found)), "")


def _of_package(image: Image) -> str:
    found = (_VERSION.match(one.version) for one in named(image, _PACKAGE, "dpkg", "rpm", "apk"))
    return next((match[1] for match in found if match), "")


def _of_release(image: Image) -> str:
    entry = image.resolve("/etc/os-release") or image.get("/usr/lib/os-release")
    fields = dict(re.findall(r"^(ID|VERSION_ID)=\"?([\w.-]+)\"?", (entry.text if entry else "") or "", re.MULTILINE))
    name, version = fields.get("ID", ""), fields.get("VERSION_ID", "")
    known = _RELEASES.get("rhel" if name in _LIKE_RHEL else name, {})
    return known.get(version) or known.get(version.partition(".")[0], "")
