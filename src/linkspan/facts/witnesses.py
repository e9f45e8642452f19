"""Stamps: the few cheap looks by which a container start tells that saved facts still hold.

Each costs one system call or three, so there are about a dozen and one for each GPU:

- the loaded kernel module, by its version text, and libcuda and libnvidia-ml by inode: an update of the driver;
- ld.so.cache by inode, which any installed or removed library rewrites, else the library folder: a part added later;
- control nodes and GPU nodes by number, the first GPU node that is not there, the folders of caps and channels: a
  renumbered major, a GPU that came or went, MIG and IMEX set up anew; each MIG device by the text that grants access;
- the sockets of the daemons and the nodes given by name, as far as they are not there: what starts late in the boot.
"""

import posixpath
from collections.abc import Iterator, Sequence
from typing import Literal

from linkspan.facts import driver, nodes, tegra
from linkspan.facts.host import Survey
from linkspan.facts.model import DeviceNode, Gpu, HostFacts, Library, Stamp
from linkspan.kernel.stamps import take

_CACHE = "/etc/ld.so.cache"
_SOCKETS = ("/run/nvidia-persistenced/socket", "/run/nvidia-fabricmanager/socket")
_LATE_NODES = ("/dev/gdrdrv", "/dev/nvidia-fs0", "/dev/infiniband/rdma_cm", "/dev/nvidia-nvswitchctl")
_CAPABILITIES = "/proc/driver/nvidia/capabilities"


def stamps(survey: Survey, facts: HostFacts) -> tuple[Stamp, ...]:
    """The witnesses of these facts, taken now, the likeliest to change first."""
    files, kernel = survey.files.root, survey.kernel.root
    found = [_present("text", kernel + driver.VERSION_FILE)]
    found += _libraries(files, facts)
    found += _nodes(survey, facts)
    found += [_present("text", f"{kernel}{path}") for path in _mig_access(facts.gpus)]
    if facts.platform == "tegra":
        csv_files = dict.fromkeys(entry.source.rpartition(":")[0] for entry in facts.csv)
        folders = dict.fromkeys(posixpath.dirname(pattern) for pattern in survey.search.csv_files)
        found += [_present("file", files + path) for path in (tegra.RELEASE_FILE, *folders, *csv_files)]
    else:
        found += [_present("file", files + path) for path in _SOCKETS]
    return tuple(found)


def _libraries(root: str, facts: HostFacts) -> Iterator[Stamp]:
    cache = _present("file", root + _CACHE)
    if cache.kind == "file":
        yield cache
    else:
        yield from (_present("file", root + folder) for folder in facts.library_folders[:1])
    yield from (_present("file", library.host_path) for library in facts.libraries if _is_witness(library))


def _is_witness(library: Library) -> bool:
    return library.bits == 64 and library.name.partition(".so")[0] in {"libcuda", "libnvidia-ml", "libdxcore"}


def _nodes(survey: Survey, facts: HostFacts) -> Iterator[Stamp]:
    root = survey.nodes.root
    if facts.platform == "wsl":
        yield _node(root, nodes.DXG, facts.devices)
        return
    first_free = max((gpu.minor for gpu in facts.gpus), default=-1) + 1
    for path in (*nodes.CONTROL, *(f"/dev/nvidia{minor}" for minor in range(first_free + 1))):
        yield _node(root, path, facts.devices)
    for folder in (nodes.CAPS, nodes.IMEX):
        yield _present("file", root + folder)
    yield from (_node(root, path, ()) for path in _LATE_NODES if facts.device(path) is None)


def _mig_access(gpus: Sequence[Gpu]) -> Iterator[str]:
    for gpu in gpus:
        for mig in gpu.mig:
            yield f"{_CAPABILITIES}/gpu{gpu.minor}/mig/gi{mig.gi}/ci{mig.ci}/access"


def _node(root: str, path: str, devices: Sequence[DeviceNode]) -> Stamp:
    """A node by the numbers that the facts have, not by another look: so a change in between is seen too."""
    for node in devices:
        if node.path == path:
            return Stamp(kind="node", path=root + path, value=f"{node.major}:{node.minor}")
    return Stamp(kind="absent", path=root + path)


def _present(kind: Literal["file", "text"], path: str) -> Stamp:
    """The stamp of what stands at a path now, or that nothing does."""
    value = take(kind, path)
    return Stamp(kind=kind, path=path, value=value) if value else Stamp(kind="absent", path=path)
