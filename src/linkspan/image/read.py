"""An image read from its source: layer by layer, each streamed once."""

from linkspan.errors import FormatError
from linkspan.image import limits
from linkspan.image.blobs import LayerBlob, Source
from linkspan.image.documents import ConfigDocument, Run, decode
from linkspan.image.layer_cache import LayerCache
from linkspan.image.merge import Merge
from linkspan.image.model import Config, Image, Layer
from linkspan.image.scan import Scan, scan


def read(source: Source, cache: LayerCache | None = None) -> Image:
    """The image; FormatError where it is broken, or hostile as a whole. Layers in the cache are not read again."""
    document = decode(source.config(), ConfigDocument, "the configuration")
    commands = [step.created_by or "" for step in document.history or [] if not step.empty_layer]
    merge = Merge()
    layers: list[Layer] = []
    room = limits.ENTRIES
    for number, blob in enumerate(source.layers()):
        found = _scanned(blob, room, number, cache)
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
        arrivals=merge.arrivals.known,
    )


def _scanned(blob: LayerBlob, room: int, number: int, cache: LayerCache | None) -> Scan:
    found = cache.get(blob.diff_id) if cache else None
    if found is not None and len(found.entries) <= room:
        return found
    try:
        found = scan(blob, room)
    except FormatError as error:
        raise FormatError(f"layer {number}: {error.message}", hint=error.hint, subject=blob.digest) from error
    if cache and blob.diff_id:
        cache.put(found)
    return found


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
