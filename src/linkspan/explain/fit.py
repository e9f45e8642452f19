"""CUDA on both sides: what the image brings, what the driver runs, and whether that fits."""

import posixpath
import re
from collections.abc import Iterator
from typing import Literal

from linkspan.check import cuda
from linkspan.check.eyes import Eyes
from linkspan.facts.host import glob
from linkspan.facts.model import Model
from linkspan.formats import versions

Way = Literal["natively", "by minor version compatibility", "by the compatibility package", "not", "unknown"]

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


class Fit(Model, frozen=True, kw_only=True):
    """How a CUDA version runs on a driver, and the sentence that says why."""

    way: Way
    why: str


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


def fit(wanted: str, driver: str, compat: str = "") -> Fit:
    """How programs of CUDA ``wanted`` run on a driver; ``compat`` is the driver of a compatibility package.

    By NVIDIA's table of CUDA releases and drivers ("CUDA Compatibility").
    """
    newest = cuda.cuda_of(driver)
    if not newest or not versions.parse(wanted):
        return Fit(way="unknown", why=f"it is not known which CUDA driver {driver or 'none'} runs")
    if not cuda.older(newest, _short(wanted)):
        return Fit(way="natively", why=f"driver {driver} runs CUDA up to {newest}")
    if compat and not cuda.older(cuda.cuda_of(compat), _short(wanted)):
        return Fit(way="by the compatibility package", why=f"that stands for driver {compat}")
    needed = cuda.needed_driver(wanted)
    if needed and not cuda.older(driver, needed) and versions.parse(wanted) >= (11,):  # type: ignore[operator]  # it is a version
        why = f"driver {driver} is of CUDA {newest}; from {needed} on it also runs later ones of that major version"
        return Fit(way="by minor version compatibility", why=why)
    return Fit(
        way="not", why=f"driver {driver} runs CUDA up to {newest}, and {_short(wanted)} needs {needed or 'a newer one'}"
    )


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])
