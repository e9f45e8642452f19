"""What ``docker save`` and ``podman save`` write: ``manifest.json``, the configurations, and plain layers.

Docker's image specification v1.2 describes it. Since Docker 25 the same archive is an OCI layout as well, which is
preferred, since it has the digests of what is stored; here only those of the layers' archives are known.
"""

from collections.abc import Iterator

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.blobs import LayerBlob
from linkspan.image.documents import ConfigDocument, Saved, check, decode, unknown
from linkspan.image.stores import Store, document

MANIFEST = "manifest.json"


class SavedSource:
    """One image of an archive."""

    def __init__(self, store: Store, reference: str, name: str = "") -> None:
        self.reference = reference
        self._store = store
        found = decode(document(store, MANIFEST) or b"[]", list[Saved], MANIFEST)
        self._saved = _chosen(found, name, store.place)
        if len(self._saved.layers) > limits.LAYERS:
            raise FormatError(f"the image has {len(self._saved.layers)} layers, more than any engine takes")

    def config(self) -> bytes:
        """The configuration; its name is its digest."""
        name = self._saved.config
        data = document(self._store, name)
        if data is None:
            raise FormatError(f"the configuration {name[:80]} is missing in {self._store.place}")
        digest = name.rpartition("/")[2].removesuffix(".json")
        if len(digest) == 64:
            check(data, f"sha256:{digest}", "the configuration")
        return data

    def layers(self) -> Iterator[LayerBlob]:
        """The layers, the lowest first."""
        found = decode(self.config(), ConfigDocument, "the configuration")
        diff_ids = (found.rootfs.diff_ids if found.rootfs else None) or []
        if len(diff_ids) != len(self._saved.layers):
            raise FormatError(f"{MANIFEST} has {len(self._saved.layers)} layers, and the configuration {len(diff_ids)}")
        for name, diff_id in zip(self._saved.layers, diff_ids, strict=True):
            part = self._store.get(name)
            if part is None:
                raise FormatError(f"the layer {name[:120]} is missing in {self._store.place}")
            yield LayerBlob("", diff_id, part.size, part.open)


def _chosen(found: list[Saved], name: str, place: str) -> Saved:
    wanted = [one for one in found if not name or name in (one.tags or [])]
    if not wanted:
        raise unknown(place, name, (tag for one in found for tag in one.tags or []))
    if len(wanted) > 1:
        names = sorted(tag for one in wanted for tag in one.tags or [])
        raise FormatError(
            f"{place} holds {len(wanted)} images: {', '.join(names[:8])}", hint=f"say which: {place}:NAME"
        )
    return wanted[0]
