"""PyTorch in a container: which build, and for which GPUs its kernels are.

The lists are those of PyTorch's own wheels, by the tag of their CUDA version; other builds are not judged.
"""

import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from linkspan.check.inside import Inside

_ARCHITECTURES = {
    "113": "3.7 5.0 6.0 7.0 7.5 8.0 8.6",
    "116": "3.7 5.0 6.0 7.0 7.5 8.0 8.6",
    "117": "3.7 5.0 6.0 7.0 7.5 8.0 8.6",
    "118": "3.7 5.0 6.0 7.0 7.5 8.0 8.6 9.0",
    "121": "5.0 6.0 7.0 7.5 8.0 8.6 9.0",
    "124": "5.0 6.0 7.0 7.5 8.0 8.6 9.0",
    "126": "5.0 6.0 7.0 7.5 8.0 8.6 9.0",
    "128": "7.0 7.5 8.0 8.6 9.0 10.0 12.0",
    "129": "7.0 7.5 8.0 8.6 9.0 10.0 12.0",
    "130": "7.5 8.0 8.6 9.0 10.0 12.0",
    "132": "7.5 8.0 8.6 9.0 10.0 12.0",
}
_PREFIXES = ("/usr/local", "/usr", "/opt/conda", "/opt/venv", "/venv")
_VERSION = re.compile(r"^__version__ = ['\"]([^'\"]+)['\"]", re.MULTILINE)
_TAG = re.compile(r"\+cu(\d+)")


def capabilities_of(tag: str) -> tuple[tuple[int, int], ...]:
    """For which compute capabilities PyTorch's wheel of a CUDA tag (``121``) has kernels; empty where not known."""
    return _numbers(_ARCHITECTURES.get(tag, ""))


def serves(capabilities: Iterable[tuple[int, int]], gpu: tuple[int, int]) -> bool:
    """True where a kernel runs on a GPU: one of the same major version that is not newer (CUDA's rule)."""
    return any(major == gpu[0] and minor <= gpu[1] for major, minor in capabilities)


class Torch(NamedTuple):
    """A PyTorch: the file that tells its version, the version, and the compute capabilities that it has kernels for."""

    path: str
    version: str
    capabilities: tuple[tuple[int, int], ...]

    def serves(self, gpu: tuple[int, int]) -> bool:
        """True where a kernel of it runs on this GPU."""
        return serves(self.capabilities, gpu)


def torch(inside: Inside) -> Torch | None:
    """The PyTorch that a container's python finds first, where it is a build whose kernels are known."""
    for prefix in dict.fromkeys((*_of_path(inside), *_PREFIXES)):
        for path in _version_files(inside, prefix):
            version = _VERSION.search(inside.container.root.text(path, 4096) or "")
            tag = _TAG.search(version[1]) if version else None
            if version and tag and tag[1] in _ARCHITECTURES:
                return Torch(path, version[1], capabilities_of(tag[1]))
    return None


def _of_path(inside: Inside) -> list[str]:
    folders = inside.container.env.get("PATH", "").split(":")
    return [posixpath.dirname(folder) for folder in folders if folder.endswith("/bin")]


def _version_files(inside: Inside, prefix: str) -> list[str]:
    root = inside.container.root
    pythons = [name for name in root.names(f"{prefix}/lib") if name.startswith("python3")]
    folders = [f"{prefix}/lib/{name}/{kind}-packages" for name in pythons for kind in ("site", "dist")]
    return [path for folder in folders if root.exists(path := f"{folder}/torch/version.py")]


def _numbers(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (word.split(".") for word in text.split())
    return tuple((int(major), int(minor)) for major, minor in pairs)
