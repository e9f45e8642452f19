"""Faults of a GPU host, done to the description of a simulated one before it is written.

Each is a function on the tree; what the simulated NVML has to know besides is read off the same names by ``effects``.
"""

import posixpath
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

from linkspan.errors import RequestError
from linkspan.formats import ldcache
from linkspan.sim import elfwriter, kernel_side
from linkspan.sim.spec import SimGpu, SimSpec
from linkspan.sim.tree import File, Tree, text


class Fault(NamedTuple):
    """A fault: what is wrong, whether it is about one GPU, and what it does to the tree."""

    summary: str
    apply: Callable[[Tree, SimSpec, SimGpu | None], None]
    of_a_gpu: bool = False


class Effects(NamedTuple):
    """What the simulated libraries have to know of the faults."""

    mismatched: bool
    lost: frozenset[int]


def effects(spec: SimSpec) -> Effects:
    """The part of the faults that is inside the simulated libraries."""
    parsed = [parse(fault, spec.gpus) for fault in spec.faults]
    lost = frozenset(index for name, index in parsed if name == "lost-gpu" and index is not None)
    return Effects(any(name == "driver-mismatch" for name, _ in parsed), lost)


def apply(tree: Tree, spec: SimSpec, gpus: tuple[SimGpu, ...]) -> None:
    """Do all of the host's faults to its tree, in their order."""
    for fault in spec.faults:
        name, index = parse(fault, spec.gpus)
        FAULTS[name].apply(tree, spec, None if index is None else gpus[index])


def parse(fault: str, gpus: int) -> tuple[str, int | None]:
    """Name and GPU index of ``lost-gpu=1``; the first GPU where none is named. RequestError for what is not there."""
    name, equals, number = fault.partition("=")
    if name not in FAULTS:
        raise RequestError(f"no fault {name}", hint=f"the known ones are {', '.join(FAULTS)}", subject=fault)
    if not FAULTS[name].of_a_gpu:
        if equals:
            raise RequestError(f"the fault {name} is of the whole host and takes no {number!r}", subject=fault)
        return name, None
    index = number if equals else "0"
    if index not in map(str, range(gpus)):
        raise RequestError(f"the fault {fault} is of no GPU of this host", hint=f"it has {gpus}, from 0", subject=fault)
    return name, int(index)


def _take_away(tree: Tree, *patterns: str) -> None:
    gone = [path for path in tree if any(fnmatchcase(path, pattern) for pattern in patterns)]
    if not gone:
        raise RequestError(f"nothing of {' or '.join(patterns)} is simulated on this host, so it cannot go missing")
    for path in gone:
        del tree[path]


def _taking(*patterns: str) -> Callable[[Tree, SimSpec, SimGpu | None], None]:
    return lambda tree, spec, gpu: _take_away(tree, *patterns)


def _previous(version: str) -> str:
    """A version before this one, of the same branch."""
    branch, minor, *rest = version.split(".")
    return ".".join([branch, str(max(int(minor) - 1, 0)), *(rest if int(minor) else ["00"])])


def _mismatch(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    older = _previous(spec.driver_version)
    tree["/proc/driver/nvidia/version"] = text(kernel_side.version_text(older, is_open=spec.open_modules))
    tree["/sys/module/nvidia/version"] = text(f"{older}\n")


def _lose(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    """The node stays, and so does /proc: only an answer from the GPU is missing."""


def _missing_node(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    if gpu:
        _take_away(tree, f"/dev/nvidia{gpu.minor}")


def _unload(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    _take_away(tree, "/dev/nvidia*", "/proc/driver/*", "/sys/module/nvidia/*", "/sys/bus/pci/devices/*/driver")
    tree["/proc/modules"] = text("")
    tree["/proc/devices"] = text("Character devices:\n  1 mem\n\nBlock devices:\n  7 loop\n")


def _nouveau(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    _unload(tree, spec, gpu)
    tree["/proc/modules"] = text("nouveau 2433024 0 - Live 0x0000000000000000\n")


def _stale_cache(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    tree["/etc/ld.so.cache"] = File(ldcache.render([]))


def _leftover(tree: Tree, spec: SimSpec, gpu: SimGpu | None) -> None:
    older = _previous(spec.driver_version)
    for stem in ("libcuda", "libnvidia-ml"):
        present = next((path for path in tree if path.endswith(f"/{stem}.so.{spec.driver_version}")), None)
        if present is None:
            raise RequestError(f"no {stem} is simulated on this host, so there is no folder for an old one")
        tree[f"{posixpath.dirname(present)}/{stem}.so.{older}"] = File(elfwriter.shared_object(f"{stem}.so.1"))


FAULTS = {
    "driver-mismatch": Fault("the libraries were updated, the loaded kernel module is still the old one", _mismatch),
    "unloaded": Fault("the kernel module is not loaded: no nodes, no /proc/driver/nvidia", _unload),
    "nouveau": Fault("nouveau is loaded in place of NVIDIA's kernel module", _nouveau),
    "no-nodes": Fault("the kernel module is loaded, but nothing made its device nodes", _taking("/dev/nvidia*")),
    "no-uvm": Fault("/dev/nvidia-uvm is missing, so CUDA cannot start", _taking("/dev/nvidia-uvm*")),
    "missing-node": Fault("the device node of one GPU is missing", _missing_node, of_a_gpu=True),
    "lost-gpu": Fault("one GPU has fallen off the bus", _lose, of_a_gpu=True),
    "no-libcuda": Fault("libcuda is not installed", _taking("*/libcuda.so*")),
    "no-nvml": Fault("libnvidia-ml is not installed", _taking("*/libnvidia-ml.so*")),
    "stale-cache": Fault("ld.so.cache is from before the driver was installed", _stale_cache),
    "leftover": Fault("libraries of the driver before are still there", _leftover),
}
"""All known faults, by name."""
