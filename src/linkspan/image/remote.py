"""An image of a registry as a source: its layers are streamed, and none is stored."""

import io
from collections.abc import Iterator

import msgspec

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.blobs import LayerBlob
from linkspan.image.distribution_api import Registry
from linkspan.image.documents import ConfigDocument, Manifest, decode


class Stream(io.RawIOBase):
    """Parts that come one after the other, as a stream."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        """It is read, and nothing else."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # any writable buffer
        """The next bytes; none at the end."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class RegistrySource:
    """The image that a connection to a registry is for, for one platform."""

    def __init__(self, registry: Registry, platform: tuple[str, str]) -> None:
        self.reference = str(registry.reference)
        self._registry = registry
        self._manifest = decode(msgspec.json.encode(registry.manifest(platform)), Manifest, "the manifest")
        if len(self._manifest.layers) > limits.LAYERS:
            raise FormatError(f"{self.reference} has {len(self._manifest.layers)} layers, more than any engine takes")

    def config(self) -> bytes:
        """The configuration."""
        descriptor = self._manifest.config
        if descriptor is None:
            raise FormatError(f"the manifest of {self.reference} names no configuration")
        descriptor.name()  # refuses what is no digest
        return b"".join(self._registry.blob(descriptor.digest, limits.DOCUMENT))

    def layers(self) -> Iterator[LayerBlob]:
        """The layers, the lowest first; one that a registry may not hand out is told as elsewhere."""
        found = decode(self.config(), ConfigDocument, "the configuration")
        layers = self._manifest.layers
        diff_ids = (found.rootfs.diff_ids if found.rootfs else None) or [""] * len(layers)
        if len(diff_ids) != len(layers):
            raise FormatError(f"the manifest has {len(layers)} layers, and the configuration {len(diff_ids)}")
        for layer, diff_id in zip(layers, diff_ids, strict=True):
            layer.name()
            if layer.urls:
                yield LayerBlob(layer.digest, diff_id, layer.size, None, ", ".join(layer.urls)[:200])
            else:
                yield LayerBlob(layer.digest, diff_id, layer.size, lambda digest=layer.digest: self._open(digest))  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    def _open(self, digest: str) -> Stream:
        return Stream(self._registry.blob(digest, limits.UNPACKED))
