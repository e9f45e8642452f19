"""The CUDA stack of an image, by its files alone: runtime and libraries, cuDNN, NCCL, TensorRT, and frameworks."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from linkspan.check.cuda_names import cuda_major
from linkspan.check.inside import version_of
from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image import distributions
from linkspan.image.distributions import Distribution
from linkspan.image.model import Entry, Image

Key = Literal[
    "cudart",
    "library",
    "cudnn",
    "nccl",
    "tensorrt",
    "onnxruntime",
    "torch",
    "tensorflow",
    "jax",
    "triton",
    "triton-client",
    "triton-server",
    "vllm",
    "cupy",
]

_WHEEL = re.compile(r"nvidia-(?P<what>[a-z0-9]+(?:-[a-z0-9]+)*?)(?:-cu(?P<major>1[0-9]))?")
_OF_WHEELS: dict[str, Key] = {"cuda-runtime": "cudart", "cudnn": "cudnn", "nccl": "nccl"}
_CUDA_WHEELS = frozenset(
    {
        *("cuda-runtime", "cuda-nvrtc", "cuda-cupti", "cuda-nvcc", "cublas", "cudnn", "cufft", "curand", "cusolver"),
        *("cusparse", "nccl", "nvjitlink", "nvtx", "npp", "nvjpeg", "cufile", "nvshmem", "cusparselt"),
    }
)
_FRAMEWORKS: tuple[tuple[Key, re.Pattern[str]], ...] = (
    ("torch", re.compile(r"torch")),
    ("tensorflow", re.compile(r"tensorflow(-gpu|-cpu)?")),
    ("jax", re.compile(r"jaxlib")),
    ("onnxruntime", re.compile(r"onnxruntime(-gpu)?")),
    ("tensorrt", re.compile(r"tensorrt(-cu\d+)?(-libs)?")),
    ("triton", re.compile(r"triton")),
    ("triton-client", re.compile(r"tritonclient")),
    ("vllm", re.compile(r"vllm")),
    ("cupy", re.compile(r"cupy(-cuda\w+)?")),
)
_SYSTEM = re.compile(
    r"lib(?P<stem>cudart|cublas|cublasLt|cufft|cusolver|cusparse|curand|nvrtc|nvJitLink|cudnn|nccl|nvinfer|onnxruntime)"
    r"(?:-[0-9a-f]{8})?\.so\.(?P<version>\d+(?:\.\d+)*)"
)
_OF_STEMS: dict[str, Key] = {
    "cudart": "cudart",
    "cudnn": "cudnn",
    "nccl": "nccl",
    "nvinfer": "tensorrt",
    "onnxruntime": "onnxruntime",
}
_COMPAT = re.compile(r"/(?:cuda[^/]*/compat|cuda-compat)/libcuda\.so\.\d{3}\.[\d.]+$")
_SERVER = "/opt/tritonserver/bin/tritonserver"
_TORCH_CUDA = re.compile(r"^cuda\s*(?::[^=\n]*)?=\s*['\"]([\d.]+)['\"]", re.MULTILINE)
_KEPT = "linkspan stack"


class Part(Model, frozen=True, kw_only=True):
    """A library or framework. ``version`` is empty where nothing tells it; ``cuda`` is its CUDA major version, or 0.

    ``site`` is the folder of Python packages that it stands in, empty for what belongs to the system.
    """

    key: Key
    name: str
    version: str
    path: str
    cuda: int = 0
    site: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers, empty where it is none."""
        return versions.parse(self.version.partition("+")[0]) or ()


class Stack:
    """What an image has of CUDA and of frameworks, found out once."""

    def __init__(self, image: Image) -> None:
        self.image = image

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """The Python packages."""
        return tuple(distributions.read(self.image))

    @cached_property
    def sites(self) -> dict[str, dict[str, Distribution]]:
        """The Python packages of each folder of packages, by name."""
        found: dict[str, dict[str, Distribution]] = {}
        for one in self.distributions:
            found.setdefault(one.site, {})[one.name] = one
        return found

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts: those of the system by path, then those of Python packages."""
        system = sorted(_of_system(self.image), key=lambda part: part.path)
        return (*system, *(part for one in self.distributions for part in _of_distribution(one)))

    def of(self, *keys: Key) -> list[Part]:
        """The parts of these kinds."""
        return [part for part in self.parts if part.key in keys]

    @cached_property
    def runtimes(self) -> list[Part]:
        """The CUDA runtimes, the newest first."""
        return sorted(self.of("cudart"), key=lambda part: part.numbers, reverse=True)

    @cached_property
    def majors(self) -> frozenset[int]:
        """The CUDA major versions of the runtimes that the image has."""
        return frozenset(part.cuda for part in self.runtimes if part.cuda)

    @cached_property
    def is_cuda_image(self) -> bool:
        """True where the image is made to compute on a GPU: it brings CUDA, or says so by NVIDIA's own variable."""
        return bool(self.runtimes) or bool(self.image.config.variables.get("CUDA_VERSION"))

    @cached_property
    def compat(self) -> Entry | None:
        """The libcuda of the compatibility package, the newest where there are several."""
        files = (one for one in self.image.entries.values() if one.size and one.kind == "file")
        return max(
            filter(lambda one: _COMPAT.search(one.path), files),
            key=lambda one: versions.parse(version_of(one.path)) or (),
            default=None,
        )

    @cached_property
    def cuda(self) -> str:
        """The newest CUDA of the image; what PyTorch says, then a variable, where no file tells."""
        known = [part.version for part in self.runtimes if len(part.numbers) > 1]
        told = [self.torch_cuda(site) for site in self.sites]
        variable = self.image.config.variables.get("CUDA_VERSION", "")
        return next((one for one in (*known, *told, variable) if versions.parse(one)), "")

    def torch_cuda(self, site: str) -> str:
        """The CUDA that PyTorch of a folder of packages was built with, ``12.1``; empty without one."""
        torch = self.sites.get(site, {}).get("torch")
        file = self.image.get(f"{site}/torch/version.py")
        if torch and (tag := re.fullmatch(r"cu(\d{2})(\d)", torch.local)):
            return f"{tag[1]}.{tag[2]}"
        told = _TORCH_CUDA.search(file.text or "") if torch and file else None
        return told[1] if told else ""


def stack(image: Image) -> Stack:
    """The stack of an image; it stays with the image, since some forty rules ask for it."""
    kept = image.__dict__.get(_KEPT)
    if not isinstance(kept, Stack):
        kept = image.__dict__[_KEPT] = Stack(image)
    return kept


def _of_system(image: Image) -> Iterator[Part]:
    for entry in image.entries.values():
        if entry.kind != "file" or not entry.size or "-packages/" in entry.path or "/stubs/" in entry.path:
            continue
        if found := _SYSTEM.fullmatch(entry.name):
            soname = entry.elf.soname if entry.elf else ""
            # A runtime that goes by its SONAME alone is of any minor version: libcudart.so.11.0 of CUDA 11.8, too.
            is_vague = found["stem"] == "cudart" and found["version"].count(".") < 2
            yield Part(
                key=_OF_STEMS.get(found["stem"], "library"),
                name=f"lib{found['stem']}",
                version="" if is_vague else found["version"],
                path=entry.path,
                cuda=cuda_major(soname) or cuda_major(entry.name),
            )
    server = image.get(_SERVER)
    if server:
        told = image.config.variables.get("TRITON_SERVER_VERSION", "")
        yield Part(key="triton-server", name="tritonserver", version=told, path=server.path)


def _of_distribution(one: Distribution) -> Iterator[Part]:
    wheel = _WHEEL.fullmatch(one.name)
    if wheel and wheel["what"] in _CUDA_WHEELS:
        key = _OF_WHEELS.get(wheel["what"], "library")
        # From CUDA 13 on the names carry no number any more, and only the runtime's version is CUDA's.
        untold = one.numbers[0] if key == "cudart" and one.numbers else 13
        major = int(wheel["major"] or untold)
        yield Part(key=key, name=one.name, version=one.version, path=one.path, cuda=major, site=one.site)
    for key, pattern in _FRAMEWORKS:
        if pattern.fullmatch(one.name):
            yield Part(key=key, name=one.name, version=one.version, path=one.path, cuda=_suffix(one), site=one.site)


def _suffix(one: Distribution) -> int:
    found = re.search(r"-cu(?:da)?(1\d)", one.name) or re.match(r"cu(1\d)", one.local)
    return int(found[1]) if found else 0
