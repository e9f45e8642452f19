"""What was read of layers, kept from one run to the next by the digest of their archives.

A layer is kept only once its digest was found to be true, and a file is written whole or not at all. The folder belongs
to one user and nobody else may look into it: image contents may be confidential.
"""

import contextlib
import os
import re

import msgspec

from linkspan.errors import KernelError
from linkspan.image.scan import Scan
from linkspan.kernel import files

VERSION = 3
"""Raised whenever more or other things are taken from a layer: what was kept before is read anew then."""
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_KEPT = 2000
_LIMIT = 1 << 30
_FEW_BITS = 0o077


class LayerCache:
    """A folder of layers; whatever goes wrong with it, images are read without it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def get(self, diff_id: str) -> Scan | None:
        """A layer that was kept; None where it was not, or where the file is broken."""
        path = self._path(diff_id)
        try:
            if path is None:
                return None
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_uid != os.geteuid() or status.st_size > _LIMIT:
                    return None
                found = msgspec.msgpack.decode(file.read(), type=Scan)
        except (OSError, msgspec.DecodeError):
            return None
        return found if found.diff_id == diff_id else None

    def put(self, scan: Scan) -> None:
        """Keep a layer."""
        path = self._path(scan.diff_id)
        if path is None:
            return
        with contextlib.suppress(OSError, KernelError):  # a full or foreign disk is no reason not to answer
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            status = os.stat(self._folder)
            if status.st_uid == os.geteuid() and not status.st_mode & _FEW_BITS:
                files.make_room(self._folder, _KEPT)
                files.write_whole(path, msgspec.msgpack.encode(scan), mode=0o600, durable=False)

    def _path(self, diff_id: str) -> str | None:
        found = _DIGEST.fullmatch(diff_id)
        return f"{self._folder}/{found[1]}.{VERSION}" if found else None


def default_folder() -> str:
    """Where layers are kept unless somebody says otherwise (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return f"{base}/linkspan/layers"
