"""From what somebody calls an image to the image: what is there decides how it is read, not how it is called."""

import os

from linkspan.errors import FormatError, RequestError
from linkspan.image import read, rootfs, tar
from linkspan.image.access import Access
from linkspan.image.blobs import Source
from linkspan.image.docker_archive import MANIFEST, SavedSource
from linkspan.image.layout import LayoutSource
from linkspan.image.model import Image
from linkspan.image.stores import FolderStore, Store, TarStore, is_tar


def open_image(reference: str, access: Access | None = None) -> Image:
    """Read the image that is meant: an OCI layout or a saved image, as folder or archive, or a root file system.

    ``PATH:NAME`` is one image of several in a layout or archive. Nothing but the cache, the platform and the watch of
    ``access`` is used. Raises FormatError where there is no image, or where
    it is broken or hostile; the message says which.
    """
    how = access or Access()
    path, name = split(reference)
    if os.path.isdir(path):
        store: Store = FolderStore(path)
        if not _has_path(path) or not _is_store(store, path):
            return rootfs.read(path)
    else:
        store = archive(path)
    try:
        return read.read(stored(store, reference, name, how), how)
    finally:
        store.close()


def _is_store(store: Store, folder: str) -> bool:
    """True for a layout, also one that lacks a part: a root file system has no ``blobs``, if perhaps a page's index."""
    is_broken = store.get("index.json") is not None and os.path.isdir(f"{folder}/blobs")
    return store.get(MANIFEST) is not None or _is_layout(store) or is_broken


def _is_layout(store: Store) -> bool:
    return store.get("oci-layout") is not None and store.get("index.json") is not None


def _has_path(folder: str) -> bool:
    """False for a process's root, ``/proc/PID/root``, whose path as a string is another folder: one of ours."""
    try:
        return os.path.samefile(folder, os.path.realpath(folder))
    except OSError:
        return False


def split(reference: str) -> tuple[str, str]:
    """A path, and the name of an image in it, which may be empty.

    FormatError where no such path is there, RequestError for standard input.
    """
    if os.path.exists(reference):
        return reference, ""
    if reference == "-":
        hint = "save the image to a file; 'linkspan image fix -' reads a Dockerfile"
        raise RequestError("an image cannot be read from standard input", hint=hint, subject=reference)
    at = reference.find(":")
    while at > 0:
        if os.path.exists(reference[:at]):
            return reference[:at], reference[at + 1 :]
        at = reference.find(":", at + 1)
    raise FormatError(
        f"there is no file or folder {reference}",
        hint="a name needs a word that says who has the image: docker-daemon:NAME, podman:NAME, containerd:NAME or "
        "registry:NAME",
    )


def archive(path: str) -> TarStore:
    """The archive at a path; FormatError where it is none."""
    try:
        if not os.path.isfile(path):
            raise FormatError(f"{path} is neither a file nor a folder")
        with open(path, "rb") as file:
            start = file.read(tar.BLOCK)
        if not start:
            raise FormatError(f"{path} is empty, so it is no saved image")
        if not is_tar(start):
            raise FormatError(f"{path} is no tar archive, so it is no saved image")
        return TarStore(path)
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}") from error


def stored(store: Store, reference: str, name: str = "", access: Access | None = None) -> Source:
    """The image in a store; FormatError where it holds none."""
    if _is_layout(store):
        return LayoutSource(store, reference, name, (access or Access()).wanted)
    if store.get(MANIFEST) is not None:
        return SavedSource(store, reference, name)
    raise FormatError(
        f"{store.place} holds no image: it has neither index.json nor {MANIFEST}",
        hint="use what 'docker save', 'podman save' or 'skopeo copy' write; what 'ctr images export' of containerd 2 "
        "writes may lack its end unless it is given --local",
    )
