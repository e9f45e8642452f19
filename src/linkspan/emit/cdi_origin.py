"""What a CDI spec on disk was made from: written into it, and read back, in one place.

It stands in a comment, the second line of the YAML file: an annotation would ask every engine for CDI 0.6.0
(docs/decisions/004-spec-origin.md).
"""

import msgspec

from linkspan._version import __version__
from linkspan.facts.model import HostFacts, Model, Stamp

_MARK = "linkspan: "


class Origin(Model, frozen=True, kw_only=True):
    """The linkspan that made a spec, the driver it is for, and the stamps that say whether that is still so."""

    version: str = ""
    driver: str = ""
    stamps: tuple[Stamp, ...] = ()


def of(facts: HostFacts) -> Origin:
    """The origin of a spec made from these facts.

    Only the stamps of what the spec names are taken. Others tell that there may be *more* to find (ld.so.cache, which
    every installed package rewrites; the socket of a daemon not yet started): no reason to refuse a spec.
    """
    libraries = {library.host_path for library in facts.libraries}
    stamps = [stamp for stamp in facts.stamps if stamp.kind in ("text", "node") or stamp.path in libraries]
    return Origin(version=__version__, driver=facts.driver.version, stamps=tuple(stamps))


def remark(origin: Origin) -> str:
    """The comment that says it."""
    return _MARK + msgspec.json.encode(origin).decode()


def read(text: bytes) -> Origin | None:
    """The origin in the text of a spec; None where there is none, or none that this version understands."""
    lines = text.split(b"\n", 2)
    mark = b"# " + _MARK.encode()
    if len(lines) < 2 or not lines[1].startswith(mark):
        return None
    try:
        return msgspec.json.decode(lines[1].removeprefix(mark), type=Origin)
    except msgspec.MsgspecError:
        return None
