"""Writes small images as builders do: layers from trees, packed, with whiteouts; as OCI layout or as docker save does.

layers = [layer({"etc/os-release": "ID=debian\\n", "lib": link("usr/lib")}), layer({"etc/.wh.os-release": ""})]
write_layout(folder, layers, env=["A=b"])
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import zstandard

TYPES = {"": "", "gzip": "+gzip", "zstd": "+zstd"}


class Item(NamedTuple):
    """A member of a layer other than a plain file."""

    kind: bytes
    data: bytes = b""
    target: str = ""
    mode: int = 0o644


class Packed(NamedTuple):
    blob: bytes
    diff_id: str
    packing: str
    command: str

    @property
    def digest(self) -> str:
        return digest(self.blob)


def link(target: str) -> Item:
    return Item(tarfile.SYMTYPE, target=target, mode=0o777)


def hard_link(target: str) -> Item:
    return Item(tarfile.LNKTYPE, target=target)


def folder(mode: int = 0o755) -> Item:
    return Item(tarfile.DIRTYPE, mode=mode)


def file(data: bytes, mode: int = 0o644) -> Item:
    return Item(tarfile.REGTYPE, data, mode=mode)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar(tree: Mapping[str, str | bytes | Item] | Sequence[tuple[str, str | bytes | Item]]) -> bytes:
    """The archive of a tree, in its order; pairs where a name comes twice."""
    out = io.BytesIO()
    pairs = tree.items() if isinstance(tree, Mapping) else tree
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in pairs:
            item = content if isinstance(content, Item) else file(_bytes(content))
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode, member.size = item.kind, item.target, item.mode, len(item.data)
            archive.addfile(member, io.BytesIO(item.data))
    return out.getvalue()


def layer(tree: Any, packing: str = "gzip", command: str = "") -> Packed:
    """A layer from a tree."""
    return packed(tar(tree), packing, command)


def packed(archive: bytes, packing: str = "gzip", command: str = "") -> Packed:
    """A layer from the bytes of its archive, whatever they are."""
    blob = {"": bytes, "gzip": _gzip, "zstd": zstandard.compress}[packing](archive)
    return Packed(blob, digest(archive), packing, command)


def config(layers: Sequence[Packed], *, architecture: str = "amd64", **run: Any) -> bytes:
    """The configuration; ``run`` are the keys of its ``config``: ``Env``, ``User``."""
    history = [{"created_by": one.command or f"layer {n}"} for n, one in enumerate(layers)]
    history.insert(1, {"created_by": "ENV A=b", "empty_layer": True})
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
            "history": history,
        }
    ).encode()


def blobs(layers: Sequence[Packed], **run: Any) -> tuple[dict[str, bytes], bytes]:
    """The files of a layout, by name, and its manifest."""
    configuration = config(layers, **run)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": descriptor(configuration, "application/vnd.oci.image.config.v1+json"),
            "layers": [
                descriptor(one.blob, f"application/vnd.oci.image.layer.v1.tar{TYPES[one.packing]}") for one in layers
            ],
        }
    ).encode()
    return {blob_name(data): data for data in (configuration, manifest, *(one.blob for one in layers))}, manifest


def index(*manifests: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()


def descriptor(
    data: bytes, media_type: str = "application/vnd.oci.image.manifest.v1+json", **more: Any
) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def blob_name(data: bytes) -> str:
    return f"blobs/sha256/{digest(data)[7:]}"


def layout(layers: Sequence[Packed], **run: Any) -> dict[str, bytes]:
    """The files of an OCI layout with one image."""
    files, manifest = blobs(layers, **run)
    return {**files, "oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index(descriptor(manifest))}


def saved(layers: Sequence[Packed], tag: str = "name:latest", **run: Any) -> dict[str, bytes]:
    """The files that docker save wrote before version 25: layers are plain, each in a folder of its own."""
    configuration = config(layers, **run)
    names = [f"{one.diff_id[7:]}/layer.tar" for one in layers]
    manifest = [{"Config": f"{digest(configuration)[7:]}.json", "RepoTags": [tag], "Layers": names}]
    return {
        **dict(zip(names, (one.blob for one in layers), strict=True)),
        f"{digest(configuration)[7:]}.json": configuration,
        "manifest.json": json.dumps(manifest).encode(),
    }


def write_folder(path: str, files: Mapping[str, bytes]) -> str:
    for name, data in files.items():
        os.makedirs(os.path.dirname(f"{path}/{name}"), exist_ok=True)
        with open(f"{path}/{name}", "wb") as out:
            out.write(data)
    return path


def write_archive(path: str, files: Mapping[str, bytes]) -> str:
    data = tar(files)
    with open(path, "wb") as out:
        out.write(gzip.compress(data, 1) if path.endswith(".gz") else data)
    return path


def write_layout(path: str, layers: Sequence[Packed], **run: Any) -> str:
    """Write an OCI layout into a folder; the folder's path."""
    return write_folder(path, layout(layers, **run))


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)
