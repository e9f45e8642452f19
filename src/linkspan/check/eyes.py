"""What the doctor looks through: a reader that remembers, that can be replayed, and that no stuck file stops.

Everything that a rule learns of a host comes through here, so what was remembered is all that it takes to run the same
rules somewhere else (``doctor --bundle`` and ``--from``). Before each read the path is noted, so that the parent of a
process that hangs in the kernel knows on what.
"""

import base64
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from linkspan.facts.host import TEXT_LIMIT, HostReader, LiveHost, Status

T = TypeVar("T")


class Ledger:
    """What was read so far, by every pair of eyes of one run.

    ``avoid`` are paths that gave no answer before: they count as not there. ``note`` is told each path before it is
    read.
    """

    def __init__(self, avoid: frozenset[str] = frozenset(), note: Callable[[str], None] = lambda _: None) -> None:
        self.known: dict[str, Any] = {}
        self.avoid = avoid
        self.note = note

    def remember(self, key: str, path: str, look: Callable[[], T], absent: T) -> T:
        """The answer of before, or a look at the host."""
        if key not in self.known:
            self.note(path)
            self.known[key] = absent if path in self.avoid else look()
        answer: T = self.known[key]
        return answer


class Eyes:
    """A HostReader below ``root``, or below a folder of it (``prefix``), such as a container's root."""

    def __init__(self, host: HostReader, ledger: Ledger, prefix: str = "") -> None:
        self._host = host
        self._ledger = ledger
        self._prefix = prefix
        self.root = host.root

    def below(self, prefix: str) -> "Eyes":
        """Eyes for which a folder of this host is the root: where symlinks of a container end."""
        return Eyes(_below(self._host, prefix), self._ledger, self._prefix + prefix)

    def _ask(self, kind: str, path: str, look: Callable[[], T], absent: T) -> T:
        return self._ledger.remember(f"{kind} {self._prefix}\0{path}", self._prefix + path, look, absent)

    def real(self, path: str) -> str | None:
        """See HostReader."""
        return self._ask("real", path, lambda: self._host.real(path), None)

    def status(self, path: str) -> Status | None:
        """See HostReader."""
        return self._ask("status", path, lambda: self._host.status(path), None)

    def link(self, path: str) -> str | None:
        """See HostReader."""
        return self._ask("link", path, lambda: self._host.link(path), None)

    def names(self, folder: str) -> list[str]:
        """See HostReader."""
        return self._ask("names", folder, lambda: self._host.names(folder), [])

    def read(self, path: str, offset: int = 0, length: int = TEXT_LIMIT) -> bytes | None:
        """See HostReader."""
        kind = f"read:{offset}:{length}"
        return self._ask(kind, path, lambda: self._host.read(path, offset, length), None)

    def size(self, path: str) -> int:
        """See HostReader."""
        return self._ask("size", path, lambda: self._host.size(path), 0)

    def uname(self) -> tuple[str, str]:
        """See HostReader."""
        return self._ask("uname", "", self._host.uname, ("", ""))

    def derive(self, what: str, path: str, look: Callable[[HostReader, str], T], absent: T) -> T:
        """What is made of a large file, in whose stead the answer is remembered: plain data only."""
        host = self._host
        if isinstance(host, Replay):
            return self._ask(f"derive:{what}", path, lambda: host.derived(what, path, absent), absent)
        return self._ask(f"derive:{what}", path, lambda: look(host, path), absent)

    def text(self, path: str, length: int = TEXT_LIMIT) -> str | None:
        """A text, None where there is no file, or it may not be read."""
        data = self.read(path, 0, length)
        return None if data is None else data.decode("utf-8", "replace")

    def exists(self, path: str) -> bool:
        """True where anything stands, symlinks followed."""
        return self.real(path) is not None

    def follow(self, path: str) -> Status | None:
        """What stands at the path, symlinks followed."""
        real = self.real(path)
        return self.status(real) if real else None


def _below(host: HostReader, prefix: str) -> HostReader:
    return host.below(prefix) if isinstance(host, Replay) else LiveHost(f"{host.root}{prefix}")


def live(root: str, ledger: Ledger) -> Eyes:
    """Eyes for the host below a folder of this machine."""
    return Eyes(LiveHost(root), ledger)


class Replay:
    """A host of which nothing is known but what a run before has read; all else is not there."""

    root = ""

    def __init__(self, known: dict[str, Any], prefix: str = "") -> None:
        self._known = known
        self._prefix = prefix

    def below(self, prefix: str) -> "Replay":
        """The same for a folder of it."""
        return Replay(self._known, self._prefix + prefix)

    def _recall(self, kind: str, path: str) -> Any:
        return self._known.get(f"{kind} {self._prefix}\0{path}")

    def real(self, path: str) -> str | None:
        """See HostReader."""
        found: str | None = self._recall("real", path)
        return found

    def status(self, path: str) -> Status | None:
        """See HostReader."""
        found = self._recall("status", path)
        return Status(*found) if found else None

    def link(self, path: str) -> str | None:
        """See HostReader."""
        found: str | None = self._recall("link", path)
        return found

    def names(self, folder: str) -> list[str]:
        """See HostReader."""
        return list(self._recall("names", folder) or ())

    def read(self, path: str, offset: int = 0, length: int = TEXT_LIMIT) -> bytes | None:
        """See HostReader."""
        found: bytes | None = self._recall(f"read:{offset}:{length}", path)
        return found

    def size(self, path: str) -> int:
        """See HostReader."""
        return int(self._recall("size", path) or 0)

    def derived(self, what: str, path: str, absent: T) -> T:
        """What was made of a file then."""
        found = self._recall(f"derive:{what}", path)
        return absent if found is None else found

    def uname(self) -> tuple[str, str]:
        """See HostReader."""
        release, machine = self._recall("uname", "") or ("", "")
        return release, machine


def pack(known: dict[str, Any]) -> bytes:
    """What was read, as JSON. Bytes are text where they are UTF-8, else base64 in a list of one."""
    return msgspec.json.encode({key: _plain(value) for key, value in known.items() if value not in (None, [], 0)})


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def unpack(data: bytes) -> dict[str, Any]:
    """What ``pack`` wrote, read back; msgspec.DecodeError or ValueError where it is something else."""
    known = msgspec.json.decode(data, type=dict[str, Any])
    return {key: _restored(key, value) for key, value in known.items()}


def _restored(key: str, value: Any) -> Any:
    if not key.startswith("read:"):
        return value
    return value["text"].encode() if "text" in value else base64.b64decode(value["base64"])
