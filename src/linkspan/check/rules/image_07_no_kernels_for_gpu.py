"""A framework in the image has no kernels for the GPU: built before it, or after CUDA had dropped it."""

from collections.abc import Iterator

from linkspan.check import cuda
from linkspan.check.frameworks import torch
from linkspan.check.inside import Inside, cudart_version
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.model import Gpu

_FIRST_OF_CUDA_13 = (7, 5)
"""CUDA 13 has neither compiler nor libraries for anything before Turing."""


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        gpus = [(gpu, known) for gpu in scene.gpus_of(inside) if (known := _capability(scene, gpu))]
        if gpus:
            yield from _of_torch(scene, inside, gpus) or _of_cuda(scene, inside, gpus)


def _capability(scene: Scene, gpu: Gpu) -> tuple[int, int] | None:
    device = next((one for one in scene.pci if gpu.pci_bus_id.lower().endswith(one.address.lower())), None)
    return cuda.compute_capability(device.device_id) if device else None


def _device(scene: Scene, gpu: Gpu, known: tuple[int, int]) -> Evidence:
    device = next(one for one in scene.pci if gpu.pci_bus_id.lower().endswith(one.address.lower()))
    value = f"{device.device_id}, of compute capability {_text(known)}"
    return Evidence(subject=f"{device.folder}/device", field="PCI id", value=value)


def _text(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _of_torch(scene: Scene, inside: Inside, gpus: list[tuple[Gpu, tuple[int, int]]]) -> list[Found]:
    build = torch(inside)
    left = [(gpu, known) for gpu, known in gpus if build and not build.serves(known)]
    if build is None or not left:
        return []
    gpu, known = left[0]
    newest = build.capabilities[-1]
    what = "a newer build, from CUDA 12.8 on for Blackwell" if known > newest else "a build for an older CUDA"
    return [
        Found(
            cause=f"PyTorch {build.version} has no kernels for the {gpu.name} (sm_{known[0]}{known[1]}), only for "
            f"{', '.join(map(_text, build.capabilities))}",
            evidence=(
                Evidence(
                    subject=f"/proc/{inside.container.pid}/root{build.path}", field="__version__", value=build.version
                ),
                _device(scene, gpu, known),
            ),
            remedy=Remedy(text=f"install {what}, or an image that has it; a newer driver on the host changes nothing"),
            about=inside.container.name,
        )
    ]


def _of_cuda(scene: Scene, inside: Inside, gpus: list[tuple[Gpu, tuple[int, int]]]) -> list[Found]:
    runtime = inside.cudart
    version = cudart_version(runtime) if runtime else ""
    old = [(gpu, known) for gpu, known in gpus if known < _FIRST_OF_CUDA_13]
    if runtime is None or not version.startswith("13.") or not old:
        return []
    gpu, known = old[0]
    return [
        Found(
            cause=f"the image is made of CUDA {version}, which has nothing for GPUs before compute capability 7.5, and "
            f"the {gpu.name} has {_text(known)}",
            evidence=(
                Evidence(
                    subject=f"/proc/{inside.container.pid}/root{runtime.real}", field="CUDA version", value=version
                ),
                _device(scene, gpu, known),
            ),
            remedy=Remedy(text="take an image for CUDA 12.9 or older"),
            about=inside.container.name,
        )
    ]


RULE = Rule(id="D-IMAGE-7", link="image", severity="error", look=_look)
