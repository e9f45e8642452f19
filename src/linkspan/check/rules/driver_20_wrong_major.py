"""A device node has a major number that is not its driver's: the number changed, the node did not."""

from collections.abc import Iterator

from linkspan.check.device_nodes import driven, proper_major
from linkspan.check.model import Evidence, Found, MakeNode, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.model import DeviceNode


def _look(scene: Scene) -> Iterator[Found]:
    if not driven(scene):
        return
    wrong = [(node, major) for node in scene.facts.devices if (major := proper_major(scene, node.path)) is not None]
    wrong = [(node, major) for node, major in wrong if node.major != major]
    if wrong:
        node, major = wrong[0]
        yield Found(
            cause=f"{node.path} has major {node.major}, and its driver has {major}",
            evidence=(
                *(Evidence(subject=one.path, field="major", value=str(one.major)) for one, _ in wrong[:4]),
                Evidence(subject="/proc/devices", field="major", value=str(major)),
            ),
            remedy=Remedy(
                text="make the node anew, and take out what makes it with a fixed number: the number is given anew at "
                "each boot",
                commands=tuple(command for one, right in wrong[:8] for command in _commands(one, right)),
                actions=tuple(
                    MakeNode(path=one.path, major=right, minor=one.minor, mode=one.mode, was=(one.major, one.minor))
                    for one, right in wrong
                ),
            ),
        )


def _commands(node: DeviceNode, major: int) -> tuple[str, ...]:
    return (f"rm {node.path}", f"mknod -m {node.mode:o} {node.path} c {major} {node.minor}")


RULE = Rule(id="D-DRIVER-20", link="nodes", severity="error", look=_look)
