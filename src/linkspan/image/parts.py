"""The parts of a CUDA stack, as files of the system and as Python packages: which they are, and of which CUDA."""

import re
from collections.abc import Iterator
from typing import Literal

from linkspan.check.cuda_names import cuda_major
from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image.distributions import Distribution
from linkspan.image.model import Image

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
_FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)/")
_SERVER = "/opt/tritonserver/bin/tritonserver"


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


def of_system(image: Image) -> Iterator[Part]:
    """The parts that stand outside of Python's packages."""
    for entry in image.entries.values():
        if entry.kind != "file" or not entry.size or "-packages/" in entry.path or "/stubs/" in entry.path:
            continue
        if found := _SYSTEM.fullmatch(entry.name):
            soname = entry.elf.soname if entry.elf else ""
            # A runtime that goes by its SONAME alone is of any minor version: libcudart.so.11.0 of CUDA 11.8, too.
            is_vague = found["stem"] == "cudart" and found["version"].count(".") < 2
            folder = _FOLDER.match(entry.path)
            yield Part(
                key=_OF_STEMS.get(found["stem"], "library"),
                name=f"lib{found['stem']}",
                version=(folder[1] if folder else "") if is_vague else found["version"],
                path=entry.path,
                cuda=cuda_major(soname) or cuda_major(entry.name),
            )
    server = image.get(_SERVER)
    if server:
        told = image.config.variables.get("TRITON_SERVER_VERSION", "")
        yield Part(key="triton-server", name="tritonserver", version=told, path=server.path)


def of_distribution(one: Distribution) -> Iterator[Part]:
    """The parts that a Python package is: one, or none."""
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
