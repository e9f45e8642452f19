"""For which CUDA a package of the distribution was built, by its name or its version."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image, Package
from linkspan.image.packages import installed

_CUDA = re.compile(r"cuda-?(\d{2})")


def built_for(image: Image, name: str) -> Iterator[tuple[Package, int]]:
    """The packages of the system whose names begin so, with the CUDA major version that each is for.

    ``libcudnn9-cuda-12`` tells it by its name, ``libnccl2`` and ``libnccl`` by their version: ``2.21.5-1+cuda12.4``.
    """
    for package in installed(image):
        if package.manager in ("dpkg", "rpm", "apk") and package.name.startswith(name):
            found = _CUDA.search(f"{package.name} {package.version}")
            if found:
                yield package, int(found[1])
