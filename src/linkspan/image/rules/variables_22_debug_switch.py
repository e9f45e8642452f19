"""Switches for the search of faults, left on in the image."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SWITCHES = {
    "CUDA_LAUNCH_BLOCKING": "makes each kernel wait for the one before it",
    "NCCL_P2P_DISABLE": "keeps GPUs from reaching each other's memory",
    "NCCL_IB_DISABLE": "keeps NCCL from InfiniBand",
    "NCCL_SHM_DISABLE": "keeps NCCL from shared memory",
    "CUDA_CACHE_DISABLE": "compiles the same kernels at each start",
    "CUDA_DEVICE_WAITS_ON_EXCEPTION": "stops a program at the first fault, and waits for a debugger",
}
_OFF = ("", "0", "false", "no")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for name, value in sorted(image.config.variables.items()):
        if name in _SWITCHES and value.lower() not in _OFF:
            yield Broken(cause=f"{name}={value} {_SWITCHES[name]}", fix=f"take ENV {name} out, and set it at the start")


RULE = Rule(
    id="I-VARIABLES-22",
    title="a switch for debugging is on",
    area="variables",
    severity="info",
    why="They cost much of the speed, in every container, and nobody thinks of the image when it is slow.",
    look=_look,
)
