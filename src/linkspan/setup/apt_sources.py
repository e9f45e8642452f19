"""The archive that a host's apt reads, and how components of it are added: by a file of our own, made after the host's.

The host's own mirrors stay in use: no address of an archive stands in here.
"""

import re
import shlex
from collections.abc import Iterator

from linkspan.check.eyes import Eyes
from linkspan.facts.host import glob
from linkspan.facts.model import Model
from linkspan.setup.way import Part

OWN = "/etc/apt/sources.list.d/linkspan.sources"
_ARCHIVE = re.compile(r"/(debian|debian-security|debian-archive|ubuntu|ubuntu-ports)(\.list)?/?$")
"""How the address of the distribution's own archive, or a mirror of it, ends; ``.list`` in Debian's cloud images."""
_LINE = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$")


class Source(Model, frozen=True, kw_only=True):
    """One archive and suite, as sources.list(5) has it."""

    uris: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def read(eyes: Eyes) -> list[Source]:
    """All that apt reads packages from."""
    found: list[Source] = []
    for path in ("/etc/apt/sources.list", *glob(eyes, "/etc/apt/sources.list.d/*.list")):
        found += _lines(eyes.text(path) or "")
    for path in glob(eyes, "/etc/apt/sources.list.d/*.sources"):
        found += _stanzas(eyes.text(path) or "")
    return found


def _lines(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        matched = _LINE.match(line.partition("#")[0].strip())
        if matched:
            options, uri, suite, components = matched.groups()
            signed = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            yield Source(
                uris=uri, suite=suite, components=tuple(components.split()), signed_by=signed[1] if signed else ""
            )


def _stanzas(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if not line.startswith(" "))
        }
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            for suite in fields.get("suites", "").split():
                yield Source(
                    uris=fields.get("uris", ""),
                    suite=suite,
                    components=tuple(fields.get("components", "").split()),
                    signed_by=fields.get("signed-by", ""),  # empty for a key that stands in the stanza itself
                )


def components(eyes: Eyes, names: tuple[str, ...], refresh: str = "apt-get update") -> Part | None:
    """The components of the distribution's own archive that are wanted; None where no archive is configured."""
    sources = read(eyes)
    archives = [source for source in sources if "main" in source.components and _is_archive(source)]
    if not archives:
        return None
    lacking = [(source, _lacking(source, sources, names)) for source in archives]
    stanzas = "\n\n".join(dict.fromkeys(_stanza(source, lacks) for source, lacks in lacking if lacks))
    return Part(
        name=f"the components {', '.join(names)}",
        done=not stanzas,
        commands=(f"printf {_format(stanzas)} | tee {OWN} >/dev/null", refresh),
        undo=(f"rm -f {OWN}", refresh),
    )


def _is_archive(source: Source) -> bool:
    """Not everything with a component main is: others publish packages for a distribution the same way."""
    signer = source.signed_by
    own = not signer or "debian-archive" in signer or "ubuntu-archive" in signer
    return own and all(_ARCHIVE.search(uri) for uri in source.uris.split())


def _lacking(source: Source, sources: list[Source], names: tuple[str, ...]) -> tuple[str, ...]:
    there = {name for one in sources if one.suite == source.suite for name in one.components}
    return tuple(name for name in names if name not in there)


def _stanza(source: Source, names: tuple[str, ...]) -> str:
    lines = [f"Types: deb\nURIs: {source.uris}\nSuites: {source.suite}\nComponents: {' '.join(names)}"]
    if source.signed_by:
        lines.append(f"Signed-By: {source.signed_by}")
    return "\n".join(lines)


def _format(text: str) -> str:
    """The text as printf's format, on one line."""
    return shlex.quote(text.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n") + "\\n")
