"""The JSON documents of images (OCI image specification: image-index, manifest, config), as far as we look at them."""

import hashlib
import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from linkspan.errors import FormatError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
T = TypeVar("T")


class Platform(msgspec.Struct, frozen=True):
    """What a manifest is for."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename={"media_type": "mediaType"}):
    """A pointer to a blob; ``urls`` where it lies elsewhere."""

    digest: str
    size: int = -1
    media_type: str = ""
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    platform: Platform | None = None

    def name(self) -> str:
        """The blob's place in a layout; FormatError where the digest is none (it could be a path out of it)."""
        if not _DIGEST.fullmatch(self.digest):
            raise FormatError(f"the image names a blob by {self.digest[:80]!r}, which is no SHA-256 digest")
        return f"blobs/sha256/{self.digest[7:]}"


class Index(msgspec.Struct, frozen=True):
    """An index, ``index.json`` too."""

    manifests: list[Descriptor] = []


class Manifest(msgspec.Struct, frozen=True):
    """A manifest, or an index: both are told apart by what they have."""

    config: Descriptor | None = None
    layers: list[Descriptor] = []
    manifests: list[Descriptor] | None = None


class RootFs(msgspec.Struct, frozen=True):
    """The digests of the layers' archives."""

    diff_ids: list[str] | None = None


class History(msgspec.Struct, frozen=True):
    """A step of a build."""

    created_by: str | None = None
    empty_layer: bool | None = None


class Run(msgspec.Struct, frozen=True):
    """How a container of the image is started."""

    env: list[str] | None = msgspec.field(default=None, name="Env")
    entrypoint: list[str] | None = msgspec.field(default=None, name="Entrypoint")
    cmd: list[str] | None = msgspec.field(default=None, name="Cmd")
    user: str | None = msgspec.field(default=None, name="User")
    workdir: str | None = msgspec.field(default=None, name="WorkingDir")
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")


class ConfigDocument(msgspec.Struct, frozen=True):
    """An image's configuration."""

    architecture: str | None = None
    os: str | None = None
    created: str | None = None
    config: Run | None = None
    rootfs: RootFs | None = None
    history: list[History] | None = None


class Saved(msgspec.Struct, frozen=True):
    """An image in ``manifest.json`` of ``docker save``."""

    config: str = msgspec.field(name="Config")
    layers: list[str] = msgspec.field(name="Layers")
    tags: list[str] | None = msgspec.field(default=None, name="RepoTags")


def decode(data: bytes, kind: type[T], what: str) -> T:
    """A document as its type; FormatError names the document and the place where it is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormatError(f"{what} is not what it should be: {error}") from error


def check(data: bytes, digest: str, what: str) -> None:
    """FormatError where a document has another digest than the one that it is named by."""
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if found != digest:
        raise FormatError(f"{what} is not the one that the image names: it is {found}, not {digest}")


def unknown(place: str, name: str, there: Iterable[str]) -> FormatError:
    """What is raised where an archive or layout holds no image of this name, with the first names that it has."""
    names = list(dict.fromkeys(there))[:8]
    hint = f"it has {', '.join(one[:120] for one in names)}" if names else ""
    return FormatError(f"{place} holds no image {name}".rstrip(), hint=hint)
