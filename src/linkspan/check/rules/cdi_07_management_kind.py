"""Plain ids that are looked up in the spec of management containers, which knows nothing but ``all``."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_KIND = "management.nvidia.com/gpu"


def _look(scene: Scene) -> Iterator[Found]:
    kind = scene.toolkit.nvidia_container_runtime.modes.cdi.default_kind
    names = [name for name in scene.specs.devices if name.startswith(f"{_KIND}=")]
    if kind == _KIND and names == [f"{_KIND}=all"]:
        yield Found(
            cause=f"a plain id of a GPU is looked up as {_KIND}, of which the spec has only 'all'",
            evidence=(
                Evidence(subject=TOOLKIT_CONFIG, field="modes.cdi.default-kind", value=kind),
                Evidence(subject=scene.specs.devices[names[0]][0][0].path, field="devices", value="all"),
            ),
            remedy=Remedy(text=f"set default-kind back to nvidia.com/gpu in {TOOLKIT_CONFIG}"),
        )


RULE = Rule(id="D-CDI-7", link="bridge", severity="error", look=_look)
