"""What an image's programs need of the driver, what its variables ask for, and which CUDA it brings."""

import re
from collections.abc import Collection, Iterator

from linkspan.check.wheels import Packages
from linkspan.formats import versions
from linkspan.image import driver
from linkspan.image.layers import called
from linkspan.image.model import Entry, Image
from linkspan.image.packages import wheels
from linkspan.plan.capabilities import VARIABLE, hook_default
from linkspan.plan.model import CAPABILITIES
from linkspan.plan.sources import is_legacy_image

_CUDA = re.compile(r"lib(cuda|cudart|cublas(Lt)?|cudnn|nccl|cufft|curand|cusparse|cusolver|nvrtc|nvinfer)\.so(\.\d+)*")
_CUDART = re.compile(r"libcudart(-[0-9a-f]{8})?\.so.*")
_FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)/")
_SYSTEM = re.compile(r"(/usr)?/lib(32|64)?/([a-z0-9_]+-linux-gnu[a-z0-9]*/)?[^/]+")
_FRAMEWORKS = re.compile(r"(cupy-cuda\d+x|jax-cuda\d+-plugin|onnxruntime-gpu|numba-cuda|vllm|sglang|paddlepaddle-gpu)")


def needing(image: Image, sonames: Collection[str]) -> list[Entry]:
    """The programs and libraries that link with one of these, neither the driver nor the distribution's own."""
    return [
        one for one in image.elves if _is_application(one) and one.elf and not set(sonames).isdisjoint(one.elf.needs)
    ]


def _is_application(entry: Entry) -> bool:
    # The distribution's libraries need each other whatever the image is for; driver, stubs and compat are not its own.
    system = _SYSTEM.fullmatch(entry.path) and ".so" in entry.name
    ours = driver.is_library(entry) or driver.is_program(entry) or driver.is_compat(entry) or driver.is_stub(entry)
    return not (system or ours)


def uses_cuda(image: Image) -> bool:
    """True for an image that computes on a GPU: it links with CUDA, brings it, or has a framework that does."""
    linked = any(_is_application(one) and one.elf and any(map(_CUDA.fullmatch, one.elf.needs)) for one in image.elves)
    return linked or bool(runtimes(image)) or any(map(_FRAMEWORKS.fullmatch, wheels(image)))


def granted(image: Image) -> frozenset[str]:
    """The capabilities that a start of this image grants where nobody says otherwise."""
    words = set(capability_words(image))
    if not words:
        words = set(hook_default(CAPABILITIES, legacy_image=is_legacy_image(image.config.variables)))
    return frozenset(CAPABILITIES) if "all" in words else frozenset(words)


def capability_words(image: Image) -> tuple[str, ...]:
    """What the image's variable names, as it stands there, blanks left out."""
    words = (word.strip() for word in image.config.variables.get(VARIABLE, "").split(","))
    return tuple(word for word in words if word)


def runtimes(image: Image) -> list[tuple[str, Entry]]:
    """The libraries of CUDA's runtime, each with its CUDA version (``12.4``), those of the system first.

    The version stands in the file's name, for a wheel in that of its package, or in that of CUDA's folder; it is empty
    where it is not known.
    """
    packages = Packages()
    for entry in image.by_name.get("METADATA", []):
        if entry.folder.endswith(".dist-info"):
            packages.add(entry.folder)
    entries = (entry for entry in called(image, _CUDART) if entry.kind == "file" and entry.size > 0)
    found = [(_cuda_of(entry, packages), entry) for entry in entries if not driver.is_stub(entry)]
    return sorted(found, key=lambda one: ("-packages/" in one[1].path, one[1].path))


def system_cuda(image: Image) -> str:
    """The newest CUDA that stands outside of Python's packages, ``12.4``; empty where there is none."""
    own = (version for version, entry in runtimes(image) if version and "-packages/" not in entry.path)
    return max(own, key=lambda version: versions.parse(version) or (), default="")


def newest_cuda(image: Image) -> str:
    """The newest CUDA of the image, wherever it stands; empty where there is none, or its version is not known."""
    known = (version for version, _ in runtimes(image) if version)
    return max(known, key=lambda version: versions.parse(version) or (), default="")


def _cuda_of(entry: Entry, packages: Packages) -> str:
    numbers = versions.parse(entry.name.rpartition(".so.")[2]) or ()
    if len(numbers) < 3:  # libcudart.so.11.0 is of any CUDA 11, and a wheel's libcudart.so.12 of any CUDA 12
        numbers = versions.parse(packages.version(entry.path)) or ()
    if len(numbers) < 2:
        numbers = versions.parse((_FOLDER.match(entry.path) or ("", ""))[1]) or ()
    return ".".join(map(str, numbers[:2])) if len(numbers) > 1 else ""


def loader_path(image: Image) -> Iterator[str]:
    """The folders of LD_LIBRARY_PATH in their order, an empty one for an empty word, where it is set."""
    value = image.config.variables.get("LD_LIBRARY_PATH", "")
    return iter(value.replace(";", ":").split(":") if value else ())
