"""Whose each file of an image is: the host's by right, CUDA's, the framework's, the application's, or the system's."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from linkspan.check import pieces
from linkspan.facts.model import Model
from linkspan.image.model import Entry, Image
from linkspan.image.secrets import masked

Owner = Literal[
    "application",
    "packages",
    "framework",
    "cudnn",
    "cuda",
    "compat",
    "tools",
    "compilers",
    "driver",
    "caches",
    "system",
    "hidden",
]
OWNERS: dict[Owner, str] = {
    "application": "application",
    "packages": "Python packages",
    "framework": "framework",
    "cudnn": "cuDNN, NCCL, TensorRT",
    "cuda": "CUDA runtime and libraries",
    "compat": "CUDA's compatibility package",
    "tools": "CUDA's compiler and headers",
    "compilers": "compilers and build tools",
    "driver": "driver and toolkit: the host's by right",
    "caches": "caches of package managers",
    "system": "base system",
    "hidden": "covered or removed by a later layer",
}
"""The owners with words for people, from what the image is for to what no container sees."""

_PARTS: dict[str, Owner] = {
    "module": "driver",
    "driver": "driver",
    "libcuda": "driver",
    "nvidia-smi": "driver",
    "bridge": "driver",
    "cuda": "cuda",
    "cudnn": "cudnn",
    "framework": "framework",
}
_SITE = re.compile(r"/(?:site|dist)-packages/(?P<package>[^/]+)(?:/(?P<inner>[^/]+))?")
_FRAMEWORKS = re.compile(
    r"(torch|torchvision|torchaudio|torchgen|functorch|tensorflow|jax|jaxlib|jax_plugins|jax_cuda\d+_\w+|onnxruntime"
    r"|triton|vllm|tensorrt_llm|paddle|mxnet|xformers|flash_attn|cupy|cupyx|numba)(\.libs)?$"
)
_CUDNN = re.compile(r"cudnn|nccl|tensorrt|nvshmem|cusparselt")
_TOOLS = re.compile(
    r"^(?:/usr/local|/opt|/usr/lib)/cuda[^/]*/(?:targets/[^/]+/)?(?:(?:bin|nvvm|nvvm-prev|include|nsight\w*|libnvvp|compute-sanitizer|extras"
    r"|src|share|doc|tools|nvml|gds)/|lib(?:64)?/(?:stubs/|cmake/|pkgconfig/|[^/]+\.a$))"
    r"|^/opt/nvidia/nsight|/stubs/lib[^/]+\.so"
    r"|^/usr/lib/(?:x86_64|aarch64)-linux-gnu/lib(?:cu|np|nv|nccl)[^/]*\.a$|^/usr/include/(?:cudnn|nccl|NvInfer)"
)
_COMPILERS = re.compile(
    r"^/usr/(?:local/)?(?:lib(?:exec)?/gcc(?:-cross)?/|lib/llvm-|share/cmake|lib/git-core/|(?:local/)?bin/(?:[\w-]*-)?"
    r"(?:gcc|g\+\+|cpp|cc1|clang(?:\+\+)?|ld(?:\.\w+)?|as|cmake|ctest|ninja|make|gdb|git|lto-dump)(?:-[\d.]+)?$)"
    r"|^/opt/rh/[^/]*toolset"
)
_CACHES = re.compile(
    r"^/var/cache/|^/var/lib/apt/lists/|^/(?:root|home/[^/]+)/\.cache/|/conda[^/]*/pkgs/|/miniforge3?/pkgs/|^/tmp/"
)
_SYSTEM = re.compile(r"^/(?:usr/(?!local/)|bin/|sbin/|lib\w*/|etc/|var/|boot/|run/|dev/|nix/|NGC-DL-)")


class Share(Model, frozen=True, kw_only=True):
    """A layer by owner: bytes of its files that a container sees, and ``hidden`` ones.

    ``command`` made it, and is without the secrets in it; ``size`` is that of the layer as it is stored.
    """

    number: int
    command: str = ""
    digest: str = ""
    size: int = 0
    bytes: dict[Owner, int] = {}

    @property
    def total(self) -> int:
        """The bytes of all its files."""
        return sum(self.bytes.values())


def owner(entry: Entry) -> Owner:
    """Whose a file is, by its path; a program's name alone makes it the driver's only where it can be run."""
    return _owner(entry.path, bool(entry.mode & 0o111))


@lru_cache(1 << 20)
def _owner(path: str, runs: bool) -> Owner:
    for pattern, found in _BY_PLACE:
        if pattern.search(path):
            return found
    part = _PARTS.get(pieces.part_by_name(path)) if runs or ".so" in path or ".ko" in path else None
    return part or _of_package(path) or ("system" if _SYSTEM.search(path) else "application")


_BY_PLACE: tuple[tuple[re.Pattern[str], Owner], ...] = (
    (re.compile(r"/(?:cuda[^/]*/compat|cuda-compat)/"), "compat"),
    (_CACHES, "caches"),
    (re.compile(r"/(?:site|dist)-packages/nvidia/cuda_nvcc/"), "tools"),
    (_TOOLS, "tools"),
    (_COMPILERS, "compilers"),
)


def _of_package(path: str) -> Owner | None:
    found = _SITE.search(path)
    if not found:
        return None
    if found["package"] == "nvidia":
        return "cudnn" if _CUDNN.search(found["inner"] or "") else "cuda"
    return "framework" if _FRAMEWORKS.match(found["package"]) else "packages"


def weight(entry: Entry) -> int:
    """The bytes that a file adds: none where it is another name of one that is counted already."""
    return entry.size if entry.kind == "file" and not entry.target else 0


def shares(image: Image) -> tuple[Share, ...]:
    """Every layer by owner, the lowest first."""
    numbers = {layer.number for layer in image.layers} | {entry.layer for entry in image.entries.values()}
    counted: dict[int, dict[Owner, int]] = {number: {} for number in numbers | {one.layer for one in image.hidden}}
    for entry in image.entries.values():
        _add(counted[entry.layer], owner(entry), weight(entry))
    for one in image.hidden:
        _add(counted[one.layer], "hidden", one.size)
    return tuple(_share(image, number, counted[number]) for number in sorted(counted))


def _add(counts: dict[Owner, int], key: Owner, number: int) -> None:
    if number:
        counts[key] = counts.get(key, 0) + number


def _share(image: Image, number: int, counts: dict[Owner, int]) -> Share:
    layer = image.layer(number)
    ordered = {key: counts[key] for key in OWNERS if key in counts}
    return Share(number=number, command=masked(layer.command), digest=layer.digest, size=layer.size, bytes=ordered)


def totals(layers: Iterable[Share]) -> dict[Owner, int]:
    """The bytes of each owner, all layers together."""
    found: dict[Owner, int] = {}
    for share in layers:
        for key, number in share.bytes.items():
            found[key] = found.get(key, 0) + number
    return {key: found[key] for key in OWNERS if key in found}
