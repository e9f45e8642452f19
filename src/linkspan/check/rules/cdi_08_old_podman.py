"""A Podman from before CDI, which takes the name of a device for a path."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene

KNOWS_SINCE = (4, 1)
_HOOKS = ("/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d")
"""Where the hook of NVIDIA's toolkit is registered for such a Podman (oci-hooks(5))."""


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("podman"):
        hooked = any("nvidia" in name for folder in _HOOKS for name in scene.eyes.names(folder))
        if engine.version and engine.version < KNOWS_SINCE and not engine.view.runtimes.get("nvidia") and not hooked:
            version = ".".join(map(str, engine.version))
            yield Found(
                cause=f"Podman {version} knows no CDI, and it has no other way to a GPU here",
                evidence=(
                    Evidence(subject="package podman", field="version", value=version),
                    *(Evidence(subject=folder, field="hooks of NVIDIA's", value="none") for folder in _HOOKS),
                ),
                remedy=Remedy(text="update Podman to 4.1 or newer", commands=upgrade(scene, ("podman",))),
                about=engine.title,
            )


RULE = Rule(id="D-CDI-8", link="engine", severity="error", look=_look)
