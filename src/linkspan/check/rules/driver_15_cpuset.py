"""Memory of GPUs came as NUMA nodes after the engines' cpusets had been made, so containers may not use it (POWER9).

With cgroups of version 1 a cpuset takes over its memory nodes when it is made, and never again (cpuset(7)).
"""

from collections.abc import Iterator

from linkspan.check.device_nodes import driven
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.plan.wording import ids

_GPUS = "/proc/driver/nvidia/gpus"
_CPUSET = "/sys/fs/cgroup/cpuset"
_SLICES = ("docker", "kubepods", "kubepods.slice", "machine.slice", "libpod_parent", "system.slice", "user.slice")


def _look(scene: Scene) -> Iterator[Found]:
    memory = dict(_memory(scene)) if driven(scene) else {}
    whole = _nodes(scene.line(f"{_CPUSET}/cpuset.mems")) if memory else set()
    for name in _SLICES if whole else ():
        path = f"{_CPUSET}/{name}/cpuset.mems"
        allowed = _nodes(scene.line(path))
        lacking = sorted(node for node in memory if allowed and node in whole - allowed)
        if lacking:
            yield Found(
                cause=f"containers in {name} may not use the GPUs' memory nodes {ids([str(node) for node in lacking])}",
                evidence=(
                    Evidence(subject=path, value=scene.line(path)),
                    Evidence(subject=f"{_CPUSET}/cpuset.mems", value=scene.line(f"{_CPUSET}/cpuset.mems")),
                    *(Evidence(subject=memory[node], field="Node", value=str(node)) for node in lacking[:2]),
                ),
                remedy=Remedy(
                    text="let the engine's cpuset have them before containers start, in a service after the driver's",
                    commands=(f"sh -c 'cat {_CPUSET}/cpuset.mems > {path}'",),
                ),
                about=name,
            )


def _memory(scene: Scene) -> Iterator[tuple[int, str]]:
    """The NUMA nodes that are memory of a GPU and in use, and the file that says so (nv-procfs.c)."""
    for gpu in scene.eyes.names(_GPUS):
        path = f"{_GPUS}/{gpu}/numa_status"
        lines = (line.partition(":") for line in (scene.eyes.text(path, 4096) or "").splitlines())
        fields = {name: value.strip() for name, _, value in lines}
        if fields.get("Status") == "online" and fields.get("Node", "").isdecimal():
            yield int(fields["Node"]), path


def _nodes(text: str) -> set[int]:
    """A list as the kernel writes it: ``0,8,252-255``."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal() and int(last or first) < 4096:
            found |= set(range(int(first), int(last or first) + 1))
    return found


RULE = Rule(id="D-DRIVER-15", link="injection", severity="error", look=_look)
