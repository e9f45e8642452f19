"""Which glibc an image has, by its file's name, its package, or its release."""

import re

from linkspan.image.model import Image
from linkspan.image.system_packages import packages

_FILE = re.compile(r"libc-(\d+\.\d+)\.so")
_VERSION = re.compile(r"(?:\d+:)?(\d+\.\d+)")
_RELEASES = {
    "rhel": {"7": "2.17", "8": "2.28", "9": "2.34", "10": "2.39"},
    "fedora": {"39": "2.38", "40": "2.39", "41": "2.40", "42": "2.41"},
    "amzn": {"2": "2.26", "2023": "2.34"},
}
"""Distributions whose package databases are no text: the glibc that a release has from its first day to its last."""
_LIKE_RHEL = frozenset({"rhel", "centos", "rocky", "almalinux", "ol"})


def glibc(image: Image) -> str:
    """The version of glibc, ``2.35``; empty where the image has none, or nothing tells it."""
    named = (match[1] for name in image.by_name if (match := _FILE.fullmatch(name)))
    return next(named, "") or _of_package(image) or _of_release(image)


def _of_package(image: Image) -> str:
    found = (_VERSION.match(version) for _, name, version in packages(image) if name == "libc6")
    return next((match[1] for match in found if match), "")


def _of_release(image: Image) -> str:
    entry = image.resolve("/etc/os-release") or image.get("/usr/lib/os-release")
    fields = dict(re.findall(r"^(ID|VERSION_ID)=\"?([\w.-]+)\"?", (entry.text if entry else "") or "", re.MULTILINE))
    name, version = fields.get("ID", ""), fields.get("VERSION_ID", "")
    known = _RELEASES.get("rhel" if name in _LIKE_RHEL else name, {})
    return known.get(version) or known.get(version.partition(".")[0], "")
