"""Temporary folders that others than their owner may enter."""

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def open_folder(name: str, parent: str | None = None) -> Iterator[str]:
    """A folder that a container's ids of a user namespace can reach, which cannot enter those that pytest makes.

    It is made below ``parent``, by default where temporary files are, and gone at the end.
    """
    with tempfile.TemporaryDirectory(prefix=f"linkspan-{name}-", dir=parent) as folder:
        os.chmod(folder, 0o755)
        yield folder
