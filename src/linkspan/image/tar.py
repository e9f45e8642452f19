"""Tar archives as a stream: every member once, in order, its bytes left to whoever asks for them.

The forms are those that builders of images write: ustar, GNU (long names, numbers in base 256, old sparse files) and
pax (POSIX.1-2001; GNU's sparse files in it). What a header claims is checked before it is believed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.feed import Feed

BLOCK = 512
_EMPTY = bytes(BLOCK)
_MAX_SPARSE_BLOCKS = 4096


class Member(NamedTuple):
    """A member: ``kind`` is the type flag as one character, ``size`` the bytes that are stored of it.

    ``real`` is the size of a sparse file with its holes, None where it has none.
    """

    name: str
    kind: str
    size: int
    mode: int
    uid: int
    link: str
    real: int | None


def members(feed: Feed) -> Iterator[Member]:
    """All members; between two the feed may be read up to the first one's size. FormatError on what is no archive."""
    shared: dict[str, str] = {}
    extra: dict[str, str] = {}
    while (header := _header(feed)) is not None:
        kind = header[156:157]
        if kind in (b"x", b"g", b"L", b"K", b"X"):
            target = shared if kind == b"g" else extra
            target.update(_extended(feed, kind, _size(header, {}, feed)))
            continue
        member = _member(header, {**shared, **extra} if shared or extra else extra, feed)
        extra = {}
        start = feed.tell()
        yield member
        feed.skip(start + _padded(member.size) - feed.tell())
        if feed.tell() < start + member.size:
            raise _broken(feed, "it ends in the middle of a file")


def _header(feed: Feed) -> bytes | None:
    data = feed.read(BLOCK)
    if data == _EMPTY or not data:
        return None
    if len(data) < BLOCK:
        raise _broken(feed, "it ends in the middle of a header")
    claimed = _octal(data[148:156])
    total = sum(data) - sum(data[148:156]) + 256
    if claimed != total and claimed != total - 256 * _signed(data):
        raise _broken(feed, "a header's checksum is wrong")
    return data


def _signed(data: bytes) -> int:
    # Some old writers added up signed characters.
    return sum(byte > 127 for byte in data[:148] + data[156:])


def _member(header: bytes, extra: dict[str, str], feed: Feed) -> Member:
    kind = header[156:157].decode("latin-1")
    size = _size(header, extra, feed)
    real = _sparse(header, extra, feed) if kind == "S" or "GNU.sparse.major" in extra else None
    if real is None and "GNU.sparse.size" in extra:
        real = _decimal(extra["GNU.sparse.size"], feed)
    if kind in "12346":  # whatever their size says, links, nodes and pipes have no bytes; folders (5) neither
        size = 0
    name = extra.get("GNU.sparse.name") or extra.get("path") or _name(header)
    if kind in ("0", "\0") and name.endswith("/"):  # how the oldest writers said folder
        kind = "5"
    return Member(
        name,
        kind,
        size,
        (_octal(header[100:108]) or 0) & 0o7777,
        _decimal(extra["uid"], feed) if "uid" in extra else (_octal(header[108:116]) or 0),
        extra.get("linkpath") or _text(header[157:257]),
        real,
    )


def _name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""  # GNU has other things in its place
    return f"{prefix}/{name}" if prefix else name


def _size(header: bytes, extra: dict[str, str], feed: Feed) -> int:
    size = _decimal(extra["size"], feed) if "size" in extra else _octal(header[124:136])
    if size is None or not 0 <= size <= limits.FILE:
        raise _broken(feed, f"a member claims {'no size that is a number' if size is None else f'{size} bytes'}")
    return size


def _sparse(header: bytes, extra: dict[str, str], feed: Feed) -> int:
    if "GNU.sparse.realsize" in extra:
        return _decimal(extra["GNU.sparse.realsize"], feed)
    more, blocks = header[482], 0
    while more:  # the map of an old sparse file goes on in blocks of its own
        block = feed.read(BLOCK)
        blocks += 1
        if len(block) < BLOCK or blocks > _MAX_SPARSE_BLOCKS:
            raise _broken(feed, "the map of a sparse file has no end")
        more = block[504]
    return _octal(header[483:495]) or 0


def _extended(feed: Feed, kind: bytes, size: int) -> dict[str, str]:
    if size > limits.HEADERS:
        raise _broken(feed, f"an extended header claims {size} bytes")
    data = feed.read(_padded(size))[:size]
    if len(data) < size:
        raise _broken(feed, "it ends in an extended header")
    if kind in (b"L", b"K"):
        return {"path" if kind == b"L" else "linkpath": _text(data)}
    return dict(_records(feed, data))


def _records(feed: Feed, data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 20)
        digits = data[at:space] if space > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        record = data[space + 1 : at + length]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or at + length > len(data) or record[-1:] != b"\n":
            raise _broken(feed, "an extended header cannot be followed")
        if b"\0" in value and key in (b"path", b"linkpath"):
            raise _broken(feed, "a name has a zero byte in it")
        if not key.startswith((b"SCHILY.", b"LIBARCHIVE.")):
            yield decoded(key), decoded(value)
        at += length


def _octal(field: bytes) -> int | None:
    """A number: octal digits, or GNU's base 256 with the highest bit set; None where it is neither."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big")
        bits = 8 * len(field)
        return value - (1 << bits) if field[0] & 0x40 else value - (1 << (bits - 1))
    digits = field.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    return int(digits, 8) if digits.isdigit() and not digits.strip(b"01234567") else None


def _decimal(text: str, feed: Feed) -> int:
    digits = text.partition(".")[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
        raise _broken(feed, f"an extended header has no number but {text[:40]!r}")
    return int(digits)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _text(field: bytes) -> str:
    return decoded(field.partition(b"\0")[0])


def decoded(name: bytes) -> str:
    """A name as text; bytes that are no UTF-8 as hexadecimal escapes, since findings go into JSON."""
    return name.decode("utf-8", "backslashreplace")


def _broken(feed: Feed, reason: str) -> FormatError:
    return FormatError(f"the tar archive cannot be followed at byte {feed.tell()}: {reason}")
