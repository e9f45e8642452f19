"""OCI layouts (OCI image specification, image-layout.md), as folders or tar archives; ``docker save`` writes them."""

from collections.abc import Iterator

from linkspan.errors import FormatError, RequestError
from linkspan.image import limits, reference
from linkspan.image.blobs import LayerBlob
from linkspan.image.documents import ConfigDocument, Descriptor, Index, Manifest, check, decode, unknown
from linkspan.image.stores import Store, document

_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name", "com.docker.official-images.bashbrew.ref")


class LayoutSource:
    """One image of a layout, for ``wanted``, operating system and architecture, where there are several."""

    def __init__(self, store: Store, asked: str, name: str, wanted: tuple[str, str]) -> None:
        self.reference = asked
        self._store = store
        self._wanted = wanted
        self._seen: set[str] = set()
        self._manifest = self._choose(_named(self._top(), name, store.place), 0)

    def config(self) -> bytes:
        """The configuration."""
        descriptor = self._manifest.config
        if descriptor is None:
            raise FormatError(f"the manifest in {self._store.place} names no configuration")
        return self._document(descriptor, "the configuration")

    def layers(self) -> Iterator[LayerBlob]:
        """The layers, the lowest first."""
        found = decode(self.config(), ConfigDocument, "the configuration")
        diff_ids = (found.rootfs.diff_ids if found.rootfs else None) or []
        layers = self._manifest.layers
        if diff_ids and len(diff_ids) != len(layers):
            raise FormatError(f"the manifest has {len(layers)} layers, and the configuration {len(diff_ids)}")
        for layer, diff_id in zip(layers, diff_ids or [""] * len(layers), strict=True):
            yield self._layer(layer, diff_id)

    def _layer(self, layer: Descriptor, diff_id: str) -> LayerBlob:
        part = self._store.get(layer.name())
        if layer.media_type.endswith("+encrypted"):
            return LayerBlob(layer.digest, diff_id, layer.size, None, "its key: it is encrypted")
        if part is None:
            if not layer.urls:
                raise FormatError(f"the layer {layer.digest} is missing in {self._store.place}")
            return LayerBlob(layer.digest, diff_id, layer.size, None, ", ".join(layer.urls)[:200])
        return LayerBlob(layer.digest, diff_id, part.size, part.open)

    def _top(self) -> list[Descriptor]:
        data = document(self._store, "index.json")
        if data is None:
            raise FormatError(f"{self._store.place} has no index.json, so it is no OCI layout")
        return decode(data, Index, "index.json").manifests

    def _choose(self, descriptors: list[Descriptor], depth: int) -> Manifest:
        """The manifest for the platform wanted, else for another Linux; what is missing in the layout is not taken."""
        there = [one for one in descriptors if not _is_attestation(one) and self._store.get(one.name())]
        if not there:
            raise FormatError(f"{self._store.place} names {len(descriptors)} manifests, and holds none of them")
        descriptor = min(there, key=self._distance)
        if descriptor.digest in self._seen or depth > limits.NESTING:
            raise FormatError("the indexes of the image lead to each other without an end")
        self._seen.add(descriptor.digest)
        found = decode(self._document(descriptor, "the manifest"), Manifest, "the manifest")
        if found.manifests is not None and found.config is None:
            return self._choose(found.manifests, depth + 1)
        if len(found.layers) > limits.LAYERS:
            raise FormatError(f"the image has {len(found.layers)} layers, more than any engine takes")
        return found

    def _distance(self, descriptor: Descriptor) -> tuple[bool, bool]:
        found, (system, architecture) = descriptor.platform, self._wanted
        return (False, False) if found is None else (found.os != system, found.architecture != architecture)

    def _document(self, descriptor: Descriptor, what: str) -> bytes:
        data = document(self._store, descriptor.name())
        if data is None:
            raise FormatError(f"{what} {descriptor.digest} is missing in {self._store.place}")
        check(data, descriptor.digest, what)
        return data


def _named(descriptors: list[Descriptor], name: str, place: str) -> list[Descriptor]:
    if not name:
        named = {title for one in descriptors for title in _titles(one)[:1]}
        if len(named) > 1:
            raise FormatError(
                f"{place} holds {len(named)} images: {', '.join(sorted(named)[:8])}", hint=f"say which: {place}:NAME"
            )
        return descriptors
    names = {name, *_whole(name)}
    wanted = [one for one in descriptors if names & {*_titles(one), one.digest}]
    if not wanted:
        raise unknown(place, name, (title for one in descriptors for title in _titles(one)[:1]))
    return wanted


def _whole(name: str) -> list[str]:
    """The name as containerd writes it, with the registry and the tag that go without saying."""
    try:
        return [str(reference.parse(name))]
    except RequestError:
        return []


def _titles(descriptor: Descriptor) -> list[str]:
    annotations = descriptor.annotations or {}
    return [annotations[name] for name in _NAMES if name in annotations]


def _is_attestation(descriptor: Descriptor) -> bool:
    platform_of = descriptor.platform
    return "vnd.docker.reference.type" in (descriptor.annotations or {}) or (
        platform_of is not None and platform_of.os == "unknown"
    )
