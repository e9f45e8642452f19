"""How an image may be got at: whose environment and cache, which platform, which registries in another way."""

import platform
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from linkspan.image.credentials import Credentials
from linkspan.image.layer_cache import LayerCache

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class Watch(Protocol):
    """Whoever wants to know how far it is: what is read, the bytes behind, and all of them, or 0 where nobody knows."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note."""
        ...


def nobody(what: str, done: int, total: int) -> None:
    """A watch that takes no note."""


def machine() -> str:
    """The platform of this machine as images name it, ``linux/amd64``."""
    return f"linux/{_MACHINES.get(platform.machine(), platform.machine())}"


class Access(NamedTuple):
    """How images are got at. Nothing here lets more be done than was asked for.

    ``env`` is where credentials and engines are looked for. ``insecure`` are registries whose certificate is not looked
    at; ``http://HOST`` has none. ``mirrors`` are hosts that are asked in place of a registry. ``platform`` is the one
    that is wanted of several, ``linux/arm64``, empty for that of this machine. ``credentials`` are those of registries,
    and come before what ``env`` leads to.
    """

    env: Mapping[str, str] = {}
    cache: LayerCache | None = None
    insecure: frozenset[str] = frozenset()
    mirrors: Mapping[str, str] = {}
    platform: str = ""
    watch: Watch = nobody
    credentials: Mapping[str, Credentials] = {}

    @property
    def wanted(self) -> tuple[str, str]:
        """Operating system and architecture."""
        system, _, architecture = (self.platform or machine()).partition("/")
        return system, architecture.partition("/")[0]
