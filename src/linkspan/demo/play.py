"""The demo itself: each scene a container, created, looked at from outside and from inside, and deleted."""

import json
import os
import time
from collections.abc import Iterator

import msgspec

from linkspan.demo import rootfs
from linkspan.demo.container import Container
from linkspan.demo.scenes import HostGpu, Injected, Library, Result, Scene, Seen, problems, scenes
from linkspan.demo.stage import Stage
from linkspan.errors import HostError

LIBRARY = ("libcuda.so.1", "cuInit")


def play(stage: Stage) -> Iterator[Result]:
    """Run the scenes, one after the other."""
    gpus = stage.gpus()
    for number, scene in enumerate(scenes([gpu.index for gpu in gpus]), 1):
        started = time.monotonic()
        injected, seen = _run(stage, scene, gpus, f"linkspan-demo-{os.getpid()}-{number}")
        seen = msgspec.structs.replace(seen, library=_with_host_file(seen.library, injected))
        yield Result(
            scene=scene,
            injected=injected,
            seen=seen,
            problems=problems(scene, gpus, seen),
            seconds=time.monotonic() - started,
        )


def _run(stage: Stage, scene: Scene, gpus: tuple[HostGpu, ...], name: str) -> tuple[Injected, Seen]:
    container = Container(stage.runtime, f"{stage.folder}/{name}", name)
    nodes = [f"{gpu.node}:{gpu.major}:{gpu.minor}" for gpu in gpus]
    container.prepare([rootfs.PROBE, *LIBRARY, *nodes, "--", "nvidia-smi", "-L"], scene.env)
    with container.created():
        return container.injected(), _seen(container.run())


def _seen(printed: str) -> Seen:
    """What the probe printed, then what nvidia-smi did."""
    first, *smi = printed.splitlines() or [""]
    try:
        seen = msgspec.convert(json.loads(first), Seen)
    except (json.JSONDecodeError, msgspec.ValidationError):
        raise HostError(f"the container did not run as it should: {printed.strip() or 'it printed nothing'}") from None
    return msgspec.structs.replace(seen, smi=tuple(smi))


def _with_host_file(library: Library, injected: Injected) -> Library:
    """The library with the host's file behind it: the one mounted there, if it is the very same file."""
    for mount in injected.mounts:
        if mount.destination == library.path:
            found = os.stat(mount.source)
            same = (os.major(found.st_dev), os.minor(found.st_dev), found.st_ino) == (*library.device, library.inode)
            return msgspec.structs.replace(library, host_path=mount.source if same else "")
    return library
