"""What is taken from a file of an image: its head, its text where rules want that, and what an ELF file says."""

import re
from typing import NamedTuple, Protocol

from linkspan.errors import FormatError
from linkspan.formats import ldcache, rpmdb
from linkspan.image import elf, limits
from linkspan.image.databases import is_rpm
from linkspan.image.model import Elf

_WANTED = re.compile(
    r"/etc/(os-release|ld\.so\.(conf|cache)|ld\.so\.conf\.d/[^/]+\.conf|ld-musl-[a-z0-9_]+\.path)"
    r"|/usr/lib/os-release"
    r"|/var/lib/dpkg/(status|status\.d/[^/]+)"
    r"|(/usr)?/lib/apk/db/installed"
    r"|.*\.dist-info/METADATA"
    r"|.*/torch/version\.py"
)
"""What some rule reads. Lists of files (pip's RECORD, dpkg's, conda's) are ten times as much, and names tell enough."""
_TALKATIVE = "/METADATA"
_CACHE = "/etc/ld.so.cache"
_HEADLESS = (".py", ".pyc", ".pyi", ".h", ".hpp", ".cuh", ".txt", ".md", ".html", ".js", ".svg", ".png", ".mo", ".gz")
"""Files of which there are thousands, and whose first bytes say no more than their names."""
_ELF = b"\x7fELF"


class Body(Protocol):
    """A file's bytes; only those are read that somebody asks for."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def first(self, length: int) -> bytes:
        """The first bytes, at most ``length`` of them."""
        ...

    def fatbins(self) -> list[int]:
        """Where in it fat binaries start (``fatbin.Finder``)."""
        ...

    def pread(self, at: int, length: int) -> bytes:
        """Bytes from anywhere, fewer at the end; after this or ``fatbins``, ``first`` is not called any more."""
        ...


class Known(NamedTuple):
    """What is known of a file's content; ``refused`` says why a file that somebody wants was left out."""

    head: bytes = b""
    text: str | None = None
    elf: Elf | None = None
    refused: str = ""


def look(path: str, mode: int, body: Body, room: int) -> Known:
    """Look at a file; ``room`` is how many bytes of text may still be kept.

    Of the metadata of Python packages the fields are kept, not the description below them. The text of ld.so.cache is
    a line ``name => path`` for each entry, as ``ldconfig -p`` shows them; that of a database of rpm is
    a line ``name version`` for each package.
    """
    if not body.size:
        return Known(text="" if _WANTED.fullmatch(path) else None)
    head = body.first(limits.HEAD)
    if head.startswith(_ELF):
        return Known(head, None, elf.read(body.pread, body.size, body.fatbins))
    if is_rpm(path):
        return _rpm(head, body, room)
    if body.size <= min(limits.TEXT, room) and _WANTED.fullmatch(path):
        return Known(head, _text(path, body.first(body.size)))
    return Known(b"" if path.endswith(_HEADLESS) and not mode & 0o111 else head)


def _rpm(head: bytes, body: Body, room: int) -> Known:
    if body.size <= rpmdb.LARGEST:
        body.pread(0, 1)  # all of it is at hand from here on: no error below is one of the archive
    try:
        text = "".join(f"{name} {version}\n" for name, version in rpmdb.packages(body.pread, body.size))
    except FormatError as error:
        return Known(head, refused=error.message)
    if len(text) > min(limits.TEXT, room):
        return Known(head, refused="this database of rpm names more packages than any real one")
    return Known(head, text)


def _text(path: str, data: bytes) -> str | None:
    if path == _CACHE:
        return _cache(data)
    if path.endswith(_TALKATIVE):
        data = data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return data.decode("utf-8", "backslashreplace")


def _cache(data: bytes) -> str | None:
    try:
        entries = ldcache.parse(data)
    except FormatError:
        return None
    lines = (f"{name} => {path}\n" for name, path, *_ in entries)
    return "".join(lines).encode("utf-8", "backslashreplace").decode()
