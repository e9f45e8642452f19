"""For which CUDA a package of the distribution was built, by its name or its version."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image

_CUDA = re.compile(r"cuda-?(\d{2})")
_STATUS = re.compile(r"/var/lib/dpkg/(status|status\.d/[^/]+)")


def built_for(image: Image, name: str) -> Iterator[tuple[str, int, str]]:
    """The packages of dpkg whose names begin so: name, CUDA major version, and the database that tells of them.

    ``libcudnn9-cuda-12`` tells it by its name, ``libnccl2`` by its version, ``2.21.5-1+cuda12.4``.
    """
    for path, package, version in packages(image):
        found = _CUDA.search(f"{package} {version}") if package.startswith(name) else None
        if found:
            yield package, int(found[1]), path


def packages(image: Image) -> Iterator[tuple[str, str, str]]:
    """The installed packages of dpkg: the database's path, name and version."""
    for path, entry in image.entries.items():
        if entry.text and _STATUS.fullmatch(path):
            for block in re.split(r"\n\s*\n", entry.text):
                fields = dict(re.findall(r"^(Package|Version|Status): (.*)$", block, re.MULTILINE))
                if fields.get("Package") and not fields.get("Status", "").endswith(("config-files", "not-installed")):
                    yield path, fields["Package"], fields.get("Version", "")
