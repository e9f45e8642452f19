"""The archive for machines without a package index: the same files, and an ``install.sh`` that puts them anywhere."""

import gzip
import os
import tarfile

from linkspan._version import __version__
from packages import tree

INSTALLER = f"{tree.REPOSITORY}/packages/files/install.sh"


def build(root: str, scratch: str, into: str, epoch: int) -> str:
    """Build the archive of the files below ``root``; its path."""
    name = f"linkspan-{__version__}-linux-{os.uname().machine}"
    folder, path = f"{scratch}/{name}", f"{into}/{name}.tar.gz"
    tree.copy(INSTALLER, f"{folder}/install.sh")
    with (
        gzip.GzipFile(path, "wb", compresslevel=6, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        _add(archive, f"{folder}/install.sh", f"{name}/install.sh", epoch)
        for relative in tree.listing(f"{root}{tree.PREFIX}"):
            _add(archive, f"{root}{tree.PREFIX}/{relative}", f"{name}/files/{relative}", epoch)
    return path


def _add(archive: tarfile.TarFile, path: str, name: str, epoch: int) -> None:
    entry = archive.gettarinfo(path, name)
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = epoch, 0, 0, "root", "root"
    if entry.isfile():
        with open(path, "rb") as file:
            archive.addfile(entry, file)
    else:
        archive.addfile(entry)
