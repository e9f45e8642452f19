"""A driver container waits for the module of the driver before to be unused, and somebody uses it."""

import re
from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.plan.wording import listed

_MESSAGE = re.compile(r"Could not unload NVIDIA driver kernel modules, driver is in use")
_MOST_PROCESSES = 4096
_MOST_DESCRIPTORS = 256


def _look(scene: Scene) -> Iterator[Found]:
    lines = scene.node.lines("nvidia-driver", _MESSAGE) if scene.has_driver and scene.node.is_one else []
    if not lines:
        return
    users = list(_users(scene))
    count = scene.line("/sys/module/nvidia/refcnt")
    named = listed(f"{name} ({pid})" for pid, name, _ in users[:6])
    yield Found(
        cause=f"the driver cannot be exchanged while {named or 'somebody'} {'use' if len(users) > 1 else 'uses'} it",
        evidence=(
            Evidence(subject=lines[-1].path, field="last such line", value=lines[-1].text[:300]),
            *((Evidence(subject="/sys/module/nvidia/refcnt", field="users", value=count),) if count else ()),
            *(Evidence(subject=path, field="open", value=name) for _, name, path in users[:6]),
        ),
        remedy=Remedy(
            text="drain the node and stop these programs; the driver container then goes on by itself",
            commands=tuple(f"kill {pid}" for pid, _, _ in users[:6] if not scene.processes.container_id(pid)),
        ),
    )


def _users(scene: Scene) -> Iterator[tuple[int, str, str]]:
    """The processes that hold a node of the driver open: number, name, and the first descriptor that does."""
    for one in list(scene.processes.all.values())[:_MOST_PROCESSES]:
        folder = f"/proc/{one.pid}/fd"
        for number in scene.eyes.names(folder)[:_MOST_DESCRIPTORS]:
            if (scene.eyes.link(f"{folder}/{number}") or "").startswith("/dev/nvidia"):
                yield one.pid, _name(scene, one.pid, one.name), f"{folder}/{number}"
                break


def _name(scene: Scene, pid: int, name: str) -> str:
    container = scene.processes.container_id(pid)
    return f"{name} in container {container[:12]}" if container else name


RULE = Rule(id="D-DRIVER-7", link="module", severity="warning", look=_look)
