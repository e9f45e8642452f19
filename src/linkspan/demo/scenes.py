"""The four starts of the guide, in its words and in those that the container gets. Nothing here touches a file."""

import re
from collections.abc import Iterator, Sequence

import msgspec

IMAGE = "nvidia/cuda:12.1.1-base-ubuntu22.04"
EPERM, ENXIO = 1, 6
REFUSED = (EPERM, 13)
"""How an open fails that the device cgroup does not allow, and how on a mount without devices."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One start: what a user types, the variables that an engine makes of it, and the GPUs that it has to show."""

    title: str
    command: str
    env: tuple[str, ...]
    gpus: tuple[int, ...]


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of the host and where the container sees it."""

    source: str
    destination: str


class Injected(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the container's configuration and root filesystem that was not there before."""

    devices: tuple[str, ...]
    mounts: tuple[Mount, ...]
    env: tuple[str, ...]
    hooks: int
    links: dict[str, str]
    files: tuple[str, ...]


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """Where the container's loader finds a library; ``device`` and ``inode`` are those of the file behind it."""

    path: str
    device: tuple[int, int] = (0, 0)
    inode: int = 0
    error: str = ""
    host_path: str = ""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """How opening a device node ended; one that was not ``given`` was made inside the container first."""

    path: str
    given: bool
    errno: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a process in the container saw; ``smi`` are the lines of ``nvidia-smi -L``."""

    library: Library
    nodes: tuple[Node, ...]
    smi: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One start and what came of it; no ``problems`` means that it is as the guide says."""

    scene: Scene
    injected: Injected
    seen: Seen
    problems: tuple[str, ...]
    seconds: float


class HostGpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU of the host, as far as the demo needs it."""

    index: int
    uuid: str
    node: str
    major: int
    minor: int


def scenes(indices: Sequence[int]) -> tuple[Scene, ...]:
    """The guide's four starts on a host with these GPUs; with fewer than three, the second asks for all there are."""
    everything, first = tuple(indices), indices[0]
    some = (first, indices[2]) if len(indices) > 2 else everything
    names = ",".join(map(str, some))
    run = "docker run --rm"
    smi = f"{IMAGE} nvidia-smi"
    return (
        Scene(
            title="all GPUs",
            command=f"{run} --gpus all {smi}",
            env=("NVIDIA_VISIBLE_DEVICES=all",),
            gpus=everything,
        ),
        Scene(
            title=f"GPU{'s' if len(some) > 1 else ''} {' and '.join(map(str, some))}",
            command=f"{run} --gpus '\"device={names}\"' {smi}",
            env=(f"NVIDIA_VISIBLE_DEVICES={names}",),
            gpus=some,
        ),
        Scene(
            title=f"GPU {first}, by variable",
            command=f"{run} --runtime=nvidia -e NVIDIA_VISIBLE_DEVICES={first} {smi}",
            env=(f"NVIDIA_VISIBLE_DEVICES={first}",),
            gpus=(first,),
        ),
        Scene(
            title="all GPUs, but only compute and utility",
            command=f"{run} --gpus 'all,\"capabilities=compute,utility\"' {smi}",
            env=("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
            gpus=everything,
        ),
    )


def problems(scene: Scene, gpus: Sequence[HostGpu], seen: Seen) -> tuple[str, ...]:
    """Everything that is not as it has to be, as sentences."""
    return (*_wrong_gpus(scene, gpus, seen), *_wrong_library(seen.library), *_wrong_nodes(scene, gpus, seen))


def _wrong_gpus(scene: Scene, gpus: Sequence[HostGpu], seen: Seen) -> Iterator[str]:
    shown = set(re.findall(r"\(UUID: (GPU-[^)]+)\)", "\n".join(seen.smi)))
    for gpu in gpus:
        if (gpu.uuid in shown) != (gpu.index in scene.gpus):
            yield f"nvidia-smi {'shows' if gpu.uuid in shown else 'does not show'} GPU {gpu.index}"


def _wrong_library(library: Library) -> Iterator[str]:
    if library.error:
        yield f"libcuda.so.1 cannot be loaded: {library.error}"
    elif not library.host_path:
        yield f"{library.path} is not a file of the host's driver"


def _wrong_nodes(scene: Scene, gpus: Sequence[HostGpu], seen: Seen) -> Iterator[str]:
    nodes = {node.path: node for node in seen.nodes}
    for gpu in gpus:
        node, asked = nodes[gpu.node], gpu.index in scene.gpus
        if node.given != asked:
            yield f"{node.path} is {'there' if node.given else 'not there'}"
        if (node.errno in REFUSED) == asked:
            yield f"{node.path} can{'not' if asked else ''} be opened"
