"""What a container's image brings of CUDA, found below its root."""

import posixpath
import re
from collections.abc import Iterator

from linkspan.check.eyes import Eyes
from linkspan.facts.host import glob
from linkspan.facts.model import Model
from linkspan.formats import versions

_TOOLKITS = ("/usr/local/cuda*/lib64", "/usr/local/cuda*/targets/*/lib", "/usr/lib/*-linux-gnu", "/usr/lib64")
PACKAGES = tuple(
    f"{top}/python3*/{kind}-packages"
    for top in ("/usr/lib", "/usr/local/lib", "/opt/conda/lib", "/opt/venv/lib", "/venv/lib", "/app/.venv/lib")
    for kind in ("site", "dist")
)
_FRAMEWORKS = ("torch", "tensorflow", "jax", "onnxruntime_gpu", "tensorrt", "vllm", "cupy_cuda12x", "tritonclient")
_RUNTIME = re.compile(r"nvidia_cuda_runtime(?:_cu\d+)?-(?P<version>\d[\d.]*)\.dist-info")


class Part(Model, frozen=True, kw_only=True):
    """A library or framework of the image: its name, version and file."""

    name: str
    version: str
    path: str


def runtimes(root: Eyes, env: dict[str, str]) -> list[Part]:
    """The CUDA runtimes of an image, the newest first; what only a variable tells comes last."""
    found = [*_of_toolkits(root), *_of_wheels(root)]
    found.sort(key=lambda part: versions.parse(part.version) or (), reverse=True)
    told = env.get("CUDA_VERSION", "")
    return found or ([Part(name="CUDA_VERSION", version=told, path="")] if told else [])


def _of_toolkits(root: Eyes) -> Iterator[Part]:
    seen = set()
    for folder in (folder for pattern in _TOOLKITS for folder in glob(root, pattern)):
        for name in root.names(folder):
            real = root.real(f"{folder}/{name}") if name.startswith("libcudart.so.") else None
            version = real.rpartition(".so.")[2] if real else ""
            if real and versions.parse(version) and real not in seen:
                seen.add(real)
                yield Part(name="libcudart", version=version, path=real)


def _of_wheels(root: Eyes) -> Iterator[Part]:
    for folder in _package_folders(root):
        for name in root.names(folder):
            if found := _RUNTIME.fullmatch(name):
                yield Part(name="nvidia-cuda-runtime", version=found["version"], path=f"{folder}/{name}")


def _package_folders(root: Eyes) -> list[str]:
    return [folder for pattern in PACKAGES for folder in glob(root, pattern)]


def frameworks(root: Eyes) -> list[Part]:
    """The frameworks that are installed as Python packages."""
    return [
        Part(name=name, version=rest.removesuffix(".dist-info"), path=posixpath.join(folder, entry))
        for folder in _package_folders(root)
        for entry in root.names(folder)
        for name, _, rest in [entry.partition("-")]
        if name.lower() in _FRAMEWORKS and rest.endswith(".dist-info")
    ]
