"""The source of NVIDIA's packages is set up twice, without its key, or by a page that says that there is none."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from linkspan.check.bridge import TOOLKIT
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

FOLDER = "/etc/apt/sources.list.d"
_HOST = "nvidia.github.io"
_KEY = re.compile(r"signed-by[=:]\s*(\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://nvidia\.github\.io/\S+")
_HTML = re.compile(r"<html|<!doctype|Unsupported distribution", re.IGNORECASE)
_MOST = 200


class Source(NamedTuple):
    """An entry of apt: its file, the address, and the keyring that it names, empty where it names none."""

    path: str
    address: str
    key: str


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.has("apt-get"):
        return
    texts = {path: text for path in _files(scene) if (text := scene.eyes.text(path, 1 << 16)) and _is_ours(path, text)}
    sources = [source for path, text in texts.items() for source in _sources(path, text)]
    for fault in (_pages(texts), _twice(sources), *(_key(scene, source) for source in sources)):
        if fault:
            cause, evidence, remedy = fault
            yield Found(
                cause=cause,
                evidence=evidence,
                remedy=Remedy(text=remedy, commands=("apt-get update",)),
                severity="warning" if _has_bridge(scene) else None,
            )
            return


def _files(scene: Scene) -> list[str]:
    """In the order in which apt reads them."""
    names = [name for name in scene.eyes.names(FOLDER) if name.endswith((".list", ".sources"))][:_MOST]
    return ["/etc/apt/sources.list", *(f"{FOLDER}/{name}" for name in names)]


def _is_ours(path: str, text: str) -> bool:
    return _HOST in text or ("nvidia" in path.rpartition("/")[2] and bool(_HTML.search(text)))


def _sources(path: str, text: str) -> Iterator[Source]:
    """Entries of both forms: a line, or a stanza of fields (sources.list(5))."""
    parts = re.split(r"\n\s*\n", text) if path.endswith(".sources") else text.splitlines()
    for part in parts:
        live = "\n".join(line for line in part.splitlines() if not line.lstrip().startswith("#"))
        address, key = _ADDRESS.search(live), _KEY.search(live)
        if address and not re.search(r"^Enabled:\s*no", live, re.MULTILINE | re.IGNORECASE):
            yield Source(path, address[0].rstrip("/"), key[1].rstrip("]") if key else "")


Fault = tuple[str, tuple[Evidence, ...], str] | None


def _pages(texts: dict[str, str]) -> Fault:
    """A list file that is what the server said when there was no list."""
    path = next((path for path, text in texts.items() if _HTML.search(text)), "")
    if not path:
        return None
    line = next(line for line in texts[path].splitlines() if _HTML.search(line))
    cause = f"{path} holds a page of the server's, not a list of packages"
    return cause, (Evidence(subject=path, field="text", value=line.strip()[:100]),), f"delete {path} and fetch it anew"


def _twice(sources: list[Source]) -> Fault:
    """Apt refuses all where one address has two keys, as it does for the same packages under one variable address."""
    for one in sources:
        other = next((other for other in sources if other.address == one.address and other.key != one.key), None)
        if other:
            cause = f"{one.path} and {other.path} name the same packages with different keys, so apt reads neither"
            told = tuple(
                Evidence(subject=each.path, field="signed-by", value=each.key or "none") for each in (one, other)
            )
            return cause, told, f"delete one of the two, {one.path} for one"
    return None


def _key(scene: Scene, source: Source) -> Fault:
    """A keyring that is named and cannot be used by apt's own user (_apt)."""
    if not source.key.startswith("/"):
        return None
    found = scene.eyes.follow(source.key)
    size = scene.eyes.size(source.key)
    state = (
        "not there" if found is None else "empty" if not size else f"of mode {found.mode:04o}, so apt cannot read it"
    )
    if found is not None and size and found.mode & 0o004:
        return None
    cause = f"the keyring {source.key}, which {source.path} names, is {state}"
    told = (
        Evidence(subject=source.path, field="signed-by", value=source.key),
        Evidence(subject=source.key, value=state),
    )
    remedy = (
        f"chmod 644 {source.key}"
        if found is not None and size
        else "fetch the key anew, as the guide of its packages has it"
    )
    return cause, told, remedy


def _has_bridge(scene: Scene) -> bool:
    """True where nothing is lacking that these packages would bring."""
    return bool(scene.find("linkspan-runtime") or scene.packages.keys() & set(TOOLKIT))


RULE = Rule(id="D-INSTALL-1", link="bridge", severity="error", look=_look)
