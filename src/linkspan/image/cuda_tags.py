"""The tags of NVIDIA's CUDA images: which there are, and which replaces one that is to be deleted.

From the lists of supported and unsupported tags and the support policy in NVIDIA's repository of these images, as of
December 2025: only the newest point release of a minor version is kept, the others are deleted after six months.
"""

import re
from typing import NamedTuple

from linkspan.formats import versions

NEWEST = {
    "11.4": "11.4.3", "11.5": "11.5.2", "11.6": "11.6.2", "11.7": "11.7.1", "11.8": "11.8.0", "12.0": "12.0.1",
    "12.1": "12.1.1", "12.2": "12.2.2", "12.3": "12.3.2", "12.4": "12.4.1", "12.5": "12.5.1", "12.6": "12.6.3",
    "12.8": "12.8.1", "12.9": "12.9.1", "13.0": "13.0.2", "13.1": "13.1.0",
}  # fmt: skip
"""The newest point release by minor version. Of one that is not here nothing is known, and nothing is said."""
NEVER = frozenset({"12.7"})
_SYSTEMS = r"ubuntu\d\d\.\d\d|ubi\d+|rockylinux\d+|oraclelinux\d+|centos\d|opensuse15|amzn2023|azl3|cm2"
_TAG = re.compile(
    rf"(?P<version>\d+\.\d+(\.\d+)?)-((?P<extra>cudnn\d?|tensorrt)-)?(?P<variant>base|runtime|devel)-(?P<os>{_SYSTEMS})"
)
_LOOSE = re.compile(r"(?P<version>\d+\.\d+(\.\d+)?)(-|$)")


class Tag(NamedTuple):
    """A tag, taken apart; ``extra`` is ``cudnn``, ``cudnn8``, ``tensorrt`` or empty."""

    version: str
    extra: str
    variant: str
    os: str

    @property
    def minor(self) -> str:
        """The version without its point release."""
        return versions.release(self.version)

    @property
    def text(self) -> str:
        """The tag as it is written."""
        return "-".join(part for part in (self.version, self.extra, self.variant, self.os) if part)


def parse(tag: str) -> Tag | None:
    """Take a tag apart; None where it has not the form that all of them have."""
    found = _TAG.fullmatch(tag)
    return Tag(found["version"], found["extra"] or "", found["variant"], found["os"]) if found else None


def fault(tag: str) -> str:
    """Why there is no image of this tag; empty where nothing speaks against it."""
    found = parse(tag)
    if found is None:
        return _form(tag)
    if found.minor in NEVER:
        return f"there was no CUDA {found.minor}"
    if found.version.count(".") == 1 and found.minor not in ("9.0", "9.1", "9.2", "10.0", "10.1", "10.2"):
        return f"versions have three parts, not {found.version}"
    if found.extra.startswith("cudnn") and found.variant == "base":
        return "cuDNN is in runtime and devel images only"
    if found.extra.startswith("cudnn") and (wanted := cudnn(found.minor)) is not None and found.extra != wanted:
        return f"images of CUDA {found.minor} with cuDNN say {wanted}, not {found.extra}"
    return ""


def _form(tag: str) -> str:
    loose = _LOOSE.match(tag)
    if not loose:
        return "it has no version"
    if not re.search(rf"-({_SYSTEMS})$", tag):
        return "it does not end in one of the systems that there are images of, such as ubuntu24.04"
    if not re.search(r"-(base|runtime|devel)-", tag):
        return "it says neither base, runtime nor devel"
    return "the order is version, cudnn, variant, system"


def cudnn(minor: str) -> str | None:
    """How cuDNN is named in the tags of a version: 8 by its number, 9 by it in CUDA 12.3 only."""
    if minor not in NEWEST:
        return None
    major, number = map(int, minor.split("."))
    if (major, number) <= (12, 2):
        return "cudnn8"
    return "cudnn9" if minor == "12.3" else "cudnn"


def newest(tag: Tag) -> Tag:
    """The tag with the newest point release of its version, itself where it has that or where nothing is known.

    TensorRT is in images of 13.0.0 only.
    """
    known = NEWEST.get(tag.minor, tag.version)
    return tag if tag.extra == "tensorrt" else tag._replace(version=known)


def nearest(tag: str) -> str:
    """A tag that there is, as near as possible to one that there is not; empty where none can be told."""
    loose = _LOOSE.match(tag)
    variant = re.search(r"base|runtime|devel", tag)
    if not loose:
        return ""
    minor = versions.release(loose["version"])
    known = NEWEST.get("12.8" if minor in NEVER else minor)
    if not known:
        return ""
    system = re.search(rf"({_SYSTEMS})$", tag)
    extra = cudnn(versions.release(known)) or "" if "cudnn" in tag else ""
    kind = variant[0] if variant else "runtime"
    newer = known.startswith("13.") or minor in ("12.5", "12.6", "12.7", "12.8", "12.9")
    usual = "ubuntu24.04" if newer else "ubuntu22.04"
    return Tag(known, extra if kind != "base" else "", kind, system[0] if system else usual).text
