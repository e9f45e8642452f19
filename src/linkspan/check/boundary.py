"""The table of responsibilities: what of a GPU container belongs to the host, and what to the image.

Shared by the doctor, by explain and by the check of images; nobody else says what belongs where.
"""

from typing import Literal

from linkspan.facts.model import Model

Owner = Literal["host", "image", "bridge"]


class Part(Model, frozen=True, kw_only=True):
    """A part of the stack: who owns it, the files by which it is known (shell patterns of their names), and why."""

    key: str
    title: str
    owner: Owner
    files: tuple[str, ...]
    why: str


PARTS = (
    Part(
        key="gpu",
        title="GPU and its device nodes",
        owner="host",
        files=("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-cap[0-9]*"),
        why="the kernel of the host makes them; a container is given those that it asked for",
    ),
    Part(
        key="module",
        title="kernel modules and DKMS",
        owner="host",
        files=("nvidia.ko*", "nvidia-uvm.ko*", "nvidia-modeset.ko*", "nvidia-drm.ko*", "nvidia-peermem.ko*", "dkms"),
        why="there is one kernel, and it is the host's",
    ),
    Part(
        key="driver",
        title="driver libraries",
        owner="host",
        files=("libnvidia-*.so*", "libnvcuvid.so*", "libnvoptix.so*", "libEGL_nvidia.so*", "libGLX_nvidia.so*"),
        why="they must be of the very version of the loaded kernel module",
    ),
    Part(
        key="libcuda",
        title="libcuda.so",
        owner="host",
        files=("libcuda.so*", "libcudadebugger.so*"),
        why="it speaks to the kernel module, whose version it must have; the image only links against it",
    ),
    Part(
        key="nvidia-smi",
        title="nvidia-smi",
        owner="host",
        files=("nvidia-smi", "nvidia-debugdump", "nvidia-persistenced", "nvidia-cuda-mps-*"),
        why="it is a part of the driver and comes with it",
    ),
    Part(
        key="bridge",
        title="container toolkit",
        owner="bridge",
        files=("linkspan-runtime", "linkspan-hook", "nvidia-container-*", "nvidia-ctk", "nvidia-cdi-hook"),
        why="it stands on the host and carries the host's parts across when a container starts",
    ),
    Part(
        key="cuda",
        title="CUDA runtime and libraries",
        owner="image",
        files=(
            *("libcudart.so*", "libcublas*.so*", "libcufft*.so*", "libcurand.so*", "libcusolver*.so*"),
            *("libcusparse*.so*", "libnvrtc*.so*", "libnvJitLink.so*", "libcufile*.so*", "libcupti.so*", "libnpp*.so*"),
        ),
        why="the application was built against that version",
    ),
    Part(
        key="cudnn",
        title="cuDNN, NCCL, TensorRT",
        owner="image",
        files=("libcudnn*.so*", "libnccl*.so*", "libnvinfer*.so*", "libcutensor*.so*", "libcusparseLt.so*"),
        why="frameworks are built against certain versions of them",
    ),
    Part(
        key="framework",
        title="framework",
        owner="image",
        files=("libtorch*.so*", "libtensorflow*.so*", "libonnxruntime*.so*", "libjax*.so*", "xla_extension.so"),
        why="it is a dependency of the application",
    ),
    Part(key="application", title="application", owner="image", files=(), why="it is what the image is for"),
)
"""The parts from hardware to application."""


def part(key: str) -> Part:
    """The part of this key."""
    return next(part for part in PARTS if part.key == key)
