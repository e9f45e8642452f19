"""An image read from its source: layer by layer, each streamed once."""

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.access import Access, Watch
from linkspan.image.blobs import LayerBlob, Readable, Source
from linkspan.image.documents import ConfigDocument, Run, decode
from linkspan.image.merge import Merge
from linkspan.image.model import Config, Image, Layer
from linkspan.image.scan import Scan, scan


def read(source: Source, access: Access | None = None) -> Image:
    """The image; FormatError where it is broken, or hostile as a whole. Layers in the cache are not read again."""
    how = access or Access()
    document = decode(source.config(), ConfigDocument, "the configuration")
    _of_platform(source, document, how)
    commands = [step.created_by or "" for step in document.history or [] if not step.empty_layer]
    merge = Merge()
    layers: list[Layer] = []
    room = limits.ENTRIES
    for number, blob in enumerate(source.layers()):
        found = _scanned(blob, room, number, how)
        room -= len(found.entries)
        command = commands[number] if number < len(commands) else ""
        layers.append(_layer(number, blob, found, command))
        merge.add(number, found)
    return Image(
        source=source.reference,
        config=_config(document),
        layers=tuple(layers),
        entries=merge.entries,
        hidden=tuple(merge.hidden),
        refused=tuple(merge.refused),
    )


def _of_platform(source: Source, document: ConfigDocument, how: Access) -> None:
    """Refuse an image for another platform where one was asked for."""
    found = f"{document.os or 'linux'}/{document.architecture}"
    if how.platform and document.architecture and found != "/".join(how.wanted):
        raise FormatError(f"{source.reference} is for {found}, not for {how.platform}", subject=source.reference)


def _scanned(blob: LayerBlob, room: int, number: int, how: Access) -> Scan:
    found = how.cache.get(blob.diff_id) if how.cache else None
    if found is not None and len(found.entries) <= room:
        return found
    try:
        found = scan(_watched(blob, number, how.watch), room)
    except FormatError as error:
        raise FormatError(f"layer {number}: {error.message}", hint=error.hint, subject=blob.digest) from error
    if how.cache and blob.diff_id:
        how.cache.put(found)
    return found


def _watched(blob: LayerBlob, number: int, watch: Watch) -> LayerBlob:
    opening = blob.open
    if opening is None:
        return blob
    total = max(blob.size, 0)
    return blob._replace(open=lambda: _Watched(opening(), f"layer {number}", total, watch))


class _Watched:
    """A stream that tells how far it is."""

    def __init__(self, stream: Readable, what: str, total: int, watch: Watch) -> None:
        self._stream, self._what, self._total, self._watch = stream, what, total, watch
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        part = self._stream.read(size)
        self._done += len(part)
        self._watch(self._what, self._done, self._total)
        return part

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def _layer(number: int, blob: LayerBlob, found: Scan, command: str) -> Layer:
    size = blob.size if blob.size >= 0 else found.size
    return Layer(number=number, digest=blob.digest or blob.diff_id, size=size, unpacked=found.unpacked, command=command)


def _config(document: ConfigDocument) -> Config:
    run = document.config or Run()
    return Config(
        env=tuple(run.env or ()),
        entrypoint=tuple(run.entrypoint or ()),
        cmd=tuple(run.cmd or ()),
        user=run.user or "",
        workdir=run.workdir or "",
        labels=run.labels or {},
        architecture=document.architecture or "",
        os=document.os or "",
        created=document.created or "",
    )
