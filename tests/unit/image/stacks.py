"""Images as people build them, small: CUDA's variants, wheels, frameworks; for the tests of advice."""

from linkspan.image.model import Config, Entry, Hidden, Image, Layer
from tests.unit.image import images
from tests.unit.image.images import SITE
from tests.unit.image.images import TOOLKIT as CUDA


def lib(
    path: str, size: int, *needs: str, soname: str = "", layer: int = 1, gpu: tuple[str, ...] | None = None
) -> Entry:
    """A library or program of the upper layers, called as its file where nothing else is said."""
    name = soname or path.rpartition("/")[2]
    return images.library(path, *needs, size=size, soname=name, layer=layer, gpu=gpu)


def file(path: str, size: int, layer: int = 1, text: str | None = None) -> Entry:
    """A file of the upper layers."""
    return images.file(path, size, layer=layer, text=text)


def link(path: str, target: str, layer: int = 1) -> Entry:
    """A symlink of the upper layers."""
    return images.link(path, target, layer=layer)


def dist(name: str, version: str) -> Entry:
    """What pip notes of a package."""
    return file(f"{SITE}/{name}-{version}.dist-info/METADATA", 100, 2)


BASE = (
    images.text("/etc/os-release", 'ID=ubuntu\nVERSION_ID="22.04"\n'),
    file("/usr/lib/x86_64-linux-gnu/libc.so.6", 2_000_000, 0),
    lib(f"{CUDA}/libcudart.so.12.4.127", 700_000, soname="libcudart.so.12"),
    link(f"{CUDA}/libcudart.so.12", "libcudart.so.12.4.127"),
    lib("/usr/local/cuda-12.4/compat/libcuda.so.550.54.15", 30_000_000, soname="libcuda.so.1"),
)
RUNTIME = (
    *BASE,
    lib(f"{CUDA}/libcublas.so.12.4.5.8", 100_000_000, "libcublasLt.so.12", soname="libcublas.so.12"),
    link(f"{CUDA}/libcublas.so.12", "libcublas.so.12.4.5.8"),
    lib(f"{CUDA}/libcublasLt.so.12.4.5.8", 400_000_000, soname="libcublasLt.so.12"),
    lib(f"{CUDA}/libcufft.so.11.2.1.3", 200_000_000, soname="libcufft.so.11"),
)
DEVEL = (
    *RUNTIME,
    lib("/usr/local/cuda-12.4/bin/nvcc", 20_000_000),
    file("/usr/local/cuda-12.4/targets/x86_64-linux/include/cuda.h", 1_000_000),
    file(f"{CUDA}/libcublas_static.a", 150_000_000),
    file(f"{CUDA}/stubs/libcuda.so", 50_000),
    file("/usr/bin/x86_64-linux-gnu-gcc-11", 900_000),
)
CUDNN = (
    lib("/usr/lib/x86_64-linux-gnu/libcudnn.so.9.1.0", 100_000, soname="libcudnn.so.9"),
    lib("/usr/lib/x86_64-linux-gnu/libcudnn_ops.so.9.1.0", 100_000_000, soname="libcudnn_ops.so.9"),
)
WHEELS = (
    lib(f"{SITE}/nvidia/cuda_runtime/lib/libcudart.so.12", 700_000),
    lib(f"{SITE}/nvidia/cublas/lib/libcublas.so.12", 100_000_000, "libcublasLt.so.12"),
    lib(f"{SITE}/nvidia/cublas/lib/libcublasLt.so.12", 400_000_000),
    lib(f"{SITE}/torch/lib/libtorch_cuda.so", 900_000_000, "libcudart.so.12", "libcublas.so.12", gpu=("sm_80",)),
    dist("nvidia_cuda_runtime_cu12", "12.1.105"),
    dist("torch", "2.4.1"),
)


def image(*entries: Entry, env: tuple[str, ...] = ("CUDA_VERSION=12.4.1",), hidden: tuple[Hidden, ...] = ()) -> Image:
    """An image of a system, CUDA and an application, a layer each."""
    commands = ("ADD rootfs.tar.xz /", "RUN apt-get install cuda-libraries-12-4", "COPY app /app")
    layers = tuple(Layer(number=number, command=command) for number, command in enumerate(commands))
    found = {entry.path: entry for entry in entries}
    return Image(source="shop/app:1", config=Config(env=env), layers=layers, entries=found, hidden=hidden)
