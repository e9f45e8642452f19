"""Requests, and what they have to bring; by capability as contract 4.4 lists it."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

from tests.contract import vectors

FILES = (
    "libnvidia-ml",
    "nvidia-smi",
    "libcuda",
    "nvidia-cuda-mps-control",
    "libnvidia-encode",
    "libGLX_nvidia",
    "libnvidia-ngx",
)
NODES = ("nvidia-uvm", "nvidia-modeset")
"""One file or node for each thing that a capability can bring."""


@dataclasses.dataclass(frozen=True)
class Vector:
    """A request to a program, and what a view (``injection``) of what it brings has to show."""

    program: Literal["runtime", "hook"]
    name: str
    env: tuple[str, ...]
    view: str
    wanted: str
    better: str | None = None
    why: str = ""
    mounts: tuple[tuple[str, str], ...] = ()

    @property
    def request(self) -> vectors.Vector:
        """The request alone."""
        return vectors.Vector(self.program, self.name, self.env, None, mounts=self.mounts)


BY_CAPABILITY = {
    "utility": "libnvidia-ml nvidia-smi",
    "compute": "libcuda nvidia-cuda-mps-control nvidia-uvm",
    "video": "libcuda libnvidia-encode nvidia-uvm",
    "graphics": "libGLX_nvidia",
    "display": "libGLX_nvidia nvidia-modeset",
    "ngx": "libnvidia-ngx",
    "utility,compute": "libnvidia-ml nvidia-smi libcuda nvidia-cuda-mps-control nvidia-uvm",
    "": "libnvidia-ml nvidia-smi libcuda nvidia-cuda-mps-control nvidia-uvm",
    "all": " ".join((*FILES, *NODES)),
}
_ALL = BY_CAPABILITY["all"]
_GPU_0 = ("NVIDIA_VISIBLE_DEVICES=0",)


_OURS = {"graphics": f"{BY_CAPABILITY['graphics']} nvidia-modeset"}
_WHY = "the node comes with graphics in CDI specs, too; one set for graphics and display"


def _capabilities() -> Iterator[Vector]:
    for value, contract in BY_CAPABILITY.items():
        parts = _OURS.get(value, contract)
        env = (*_GPU_0, f"NVIDIA_DRIVER_CAPABILITIES={value}")
        name = f"capabilities {value or 'not given'}"
        yield Vector("hook", name, env, "parts", contract, _OURS.get(value), _WHY if value in _OURS else "")
        better, why = (
            (None, "") if value in ("", "all") else (parts, "a capability brings what is its own, in every mode")
        )
        yield Vector("runtime", name, env, "parts", _ALL, better, why)


_RULES = "nvidia-modeset rwm, nvidia-uvm rwm, nvidia-uvm-tools rwm, nvidia0 rwm, nvidiactl rwm"
_EVERYTHING = (*_GPU_0, "NVIDIA_DRIVER_CAPABILITIES=all")

VECTORS = (
    *_capabilities(),
    Vector("runtime", "a GPU", _EVERYTHING, "rules", _RULES),
    Vector("runtime", "a GPU", _GPU_0, "options", "nodev nosuid ro"),
    Vector("hook", "a GPU", _GPU_0, "options", "nodev nosuid ro"),
    Vector("runtime", "a GPU", _GPU_0, "variables", "void"),
    Vector("runtime", "no GPU", (), "variables", "none"),
    Vector("runtime", "a GPU", _GPU_0, "prestart hooks", "engine-hook"),
    Vector("runtime", "no GPU", (), "prestart hooks", "engine-hook"),
    Vector("runtime", "a GPU", _GPU_0, "the engine's mount", "/srv"),
    Vector("runtime", "a GPU", _GPU_0, "order", "from the root down"),
    Vector(
        "runtime",
        "a GPU, and a mount where a program of the driver goes",
        _GPU_0,
        "covered mounts",
        "none",
        mounts=(("/bin/true", "/usr/bin/nvidia-smi"),),
    ),
)
