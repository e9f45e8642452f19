"""The seam between those who fetch images (files, daemons, registries) and the one who reads them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol


class Readable(Protocol):
    """A stream of bytes. Nobody seeks on it."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        ...

    def close(self) -> None:
        """Give back what the stream holds."""
        ...


class LayerBlob(NamedTuple):
    """A layer as it is stored somewhere: plain, gzip or zstd, which its first bytes tell.

    ``digest`` is that of the blob, ``diff_id`` that of the tar archive in it; both are checked unless empty.
    ``size`` is what is stored, in bytes; negative where that is not known. ``open`` is None where the layer is not
    there; ``elsewhere`` says then where it is. A stream is opened once, and a cached layer's not at all.
    """

    digest: str
    diff_id: str
    size: int
    open: Callable[[], Readable] | None
    elsewhere: str = ""


class Source(Protocol):
    """One image, for one platform, wherever it is. What it raises is a LinkspanError with the cause."""

    @property
    def reference(self) -> str:
        """How findings call the image."""
        ...

    def config(self) -> bytes:
        """The configuration (OCI image specification, config.md), already checked against its digest."""
        ...

    def layers(self) -> Iterator[LayerBlob]:
        """The layers, the lowest first."""
        ...
