"""nvidia-container-cli and its library of two versions: what one says is not what the other reads."""

from collections.abc import Iterator

from linkspan.check import bridge
from linkspan.check.bridge import LIBRARY
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    found = {name: scene.packages[name] for name in LIBRARY if name in scene.packages}
    if len(set(found.values())) > 1 and bridge.nvidias(scene, "docker", "podman", "containerd", "crio"):
        yield Found(
            cause=" and ".join(f"{name} is {text}" for name, text in found.items()) + ", and they only work together",
            evidence=tuple(
                Evidence(subject=f"package {name}", field="version", value=text) for name, text in found.items()
            ),
            remedy=Remedy(text="bring both to one version", commands=upgrade(scene, found)),
        )


RULE = Rule(id="D-MODE-4", link="bridge", severity="error", look=_look)
