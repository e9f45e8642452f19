"""Entries by the layer that brought them, and the words in which findings speak of many of them."""

import re
from collections.abc import Iterable, Iterator

from linkspan.check.model import Severity
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken

MOST_PATHS = 200
"""Paths in a finding: a folder of headers has thousands, and nobody reads them."""


LEAST = 10**6
"""Bytes below which nobody rebuilds an image for its weight."""


def called(image: Image, pattern: re.Pattern[str]) -> Iterator[Entry]:
    """The entries whose name fits as a whole, folders left out; a name that many have is looked at once."""
    return (entry for name, found in image.by_name.items() if pattern.fullmatch(name) for entry in found)


def each_layer(entries: Iterable[Entry], cause: str, fix: str, severity: Severity | None = None) -> Iterator[Broken]:
    """One fault for each layer that brought some of the entries, the largest of them first.

    ``{names}`` and ``{bytes}`` in the cause are filled in.
    """
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.layer, []).append(entry)
    for layer, found in sorted(groups.items()):
        yield together(found, cause, fix, severity, layer)


def together(
    entries: Iterable[Entry], cause: str, fix: str, severity: Severity | None = None, layer: int | None = None
) -> Broken:
    """One fault for all of the entries, whichever layers they came with."""
    found = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    return Broken(
        cause=_filled(cause, found),
        fix=fix,
        paths=tuple(entry.path for entry in found[:MOST_PATHS]),
        layer=layer,
        bytes=weight(found),
        severity=severity,
    )


def _filled(cause: str, found: list[Entry]) -> str:
    # Not str.format: what an image's files are called may have braces in it.
    return cause.replace("{bytes}", human(weight(found))).replace("{names}", names(found))


def names(entries: Iterable[Entry], most: int = 3) -> str:
    """The names of some, and how many more there are: ``libcuda.so.1, nvidia-smi and 7 more``."""
    return listed((entry.name for entry in entries), most)


def listed(words: Iterable[str], most: int = 3) -> str:
    """The first words of many, each once, and how many more there are."""
    every = list(dict.fromkeys(words))
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")


def weight(entries: Iterable[Entry]) -> int:
    """The bytes of files; a hard link's second name weighs nothing."""
    return sum(entry.size for entry in entries if entry.kind == "file" and not entry.target)


def human(count: int) -> str:
    """Bytes for people: ``1.2 GB``, decimal as registries count."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
