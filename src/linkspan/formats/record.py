"""What the start path did, as files from which its native launcher does the same again (``runtime/native/record.h``).

A record is a row of fields, each a netstring: ``LENGTH:BYTES,``. A list is its length, then its items. The first field
is the version of linkspan that did it, since another one may do it differently; the second is the key, which says in
full what the record is for: files are named by a short hash, and two keys may share one.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Field = str | bytes | int

READY, CARRY, IMAGES = "ready", "carry", "images"
"""The folders of the state folder: edits by what is asked for, the wrapper's and the prestart hook's, and how roots are
prepared by what they look like."""


def render(fields: "Iterable[Field]") -> bytes:
    """The fields as a file. UnicodeEncodeError where a text is not one, as half of a surrogate pair is."""
    out = bytearray()
    for field in fields:
        data = field if isinstance(field, bytes) else str(field).encode("utf-8", "surrogateescape")
        out += b"%d:%b," % (len(data), data)
    return bytes(out)


def rows(items: "Sequence[Sequence[Field]]") -> "list[Field]":
    """A list of rows as fields."""
    return [len(items), *(field for item in items for field in item)]


def file_name(text: bytes) -> str:
    """The name of the record for a text: its 64-bit FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def request_text(config: "tuple[str, ...]", view: "dict[str, Any]") -> "bytes | None":
    """A request view (``formats.oci``) under a configuration as one text; None where the launcher does not make it.

    ``config`` is the configuration file's path and its stamp, as ``formats.state`` writes them for the launcher; before
    them, for the prestart hook, stands ``hook``.
    ``runtime/native/request.c`` makes the same from a config.json.
    """
    entries = [*view["env"], *(f"{key}={value}" for key, value in view["annotations"].items())]
    if view["mounts"] or any(character < " " for entry in entries for character in entry):
        return None
    lines = [*config, "privileged" if view["privileged"] else "unprivileged"]
    lines += [f"e{entry}" for entry in view["env"]]
    lines += [f"a{key}={value}" for key, value in view["annotations"].items()]
    try:
        return "".join(f"{line}\n" for line in lines).encode()
    except UnicodeEncodeError:
        return None


def image_name(work: str, cache: "tuple[int, int] | None") -> bytes:
    """What the record of a prepared root is named by: the work, and its loader cache's size and time (nanoseconds)."""
    return f"{work}\n{cache[0]}:{cache[1]}".encode() if cache else f"{work}\n-".encode()
