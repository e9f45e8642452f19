"""What the driver said in the kernel's log since it was loaded. What is older is left out."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from linkspan.check import kernel_ring
from linkspan.check.model import Evidence
from linkspan.check.scene import Scene

_LOADED = re.compile(r"NVRM: loading NVIDIA UNIX")
"""What the module says when it is loaded (nv.c): all that a GPU suffered before is over with that."""
_XID = re.compile(r"NVRM: Xid \(PCI:([0-9a-fA-F:.]+)\): (\d+), ?(.*)")
"""NVIDIA's "Xid Errors" (deployment guide): ``NVRM: Xid (PCI:0000:1a:00): 79, pid=…, GPU has fallen off the bus.``"""


class Xid(NamedTuple):
    """An error that the driver told of a GPU; ``address`` is as in /sys, ``line`` what stands in the file ``path``."""

    address: str
    number: int
    text: str
    path: str
    line: str

    @property
    def evidence(self) -> Evidence:
        """The line as it was read."""
        return Evidence(subject=self.path, field="kernel message", value=self.line)


def since_load(scene: Scene) -> Iterator[tuple[str, str]]:
    """The lines about the GPU stack since the module was loaded, oldest first, each with its file."""
    ring = scene.kernel_logs.get(kernel_ring.PATH, [])
    whole = any(_LOADED.search(line) for line in ring)  # then it has all since then, and files have older lines, too
    for path, lines in ({kernel_ring.PATH: ring} if whole else scene.kernel_logs).items():
        loads = [number for number, line in enumerate(lines) if _LOADED.search(line)]
        yield from ((path, line) for line in (lines[loads[-1] :] if loads else lines))


def xids(scene: Scene) -> dict[str, list[Xid]]:
    """The errors of each GPU since the module was loaded, by its address, those of one file oldest first."""
    found: dict[str, list[Xid]] = {}
    for path, line in since_load(scene):
        match = _XID.search(line)
        if match:
            address = _address(match[1])
            found.setdefault(address, []).append(Xid(address, int(match[2]), match[3], path, line.strip()[:300]))
    return found


def _address(told: str) -> str:
    """The driver writes domain, bus and slot; the function of a GPU is 0."""
    return told.lower() if "." in told else f"{told.lower()}.0"


def newest(scene: Scene, pattern: str) -> Evidence | None:
    """The newest line since the module was loaded that matches."""
    found = re.compile(pattern, re.IGNORECASE)
    lines = [(path, line) for path, line in since_load(scene) if found.search(line)]
    if not lines:
        return None
    path, line = lines[-1]
    return Evidence(subject=path, field="kernel message", value=line.strip()[:300])
