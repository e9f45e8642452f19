"""A Podman from before CDI, which takes the name of a device for a path."""

from collections.abc import Iterator

from linkspan.check import cdi_use
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import upgrade
from linkspan.check.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    for engine in scene.engines_of("podman") if cdi_use.is_wanted(scene) else ():
        other = engine.view.runtimes.get("nvidia") or cdi_use.has_other_way(scene, engine)
        if not cdi_use.knows_cdi(engine) and not other:
            version = ".".join(map(str, engine.version))
            yield Found(
                cause=f"Podman {version} knows no CDI, and it has no other way to a GPU here",
                evidence=(
                    Evidence(subject="package podman", field="version", value=version),
                    *(
                        Evidence(subject=folder, field="hooks of NVIDIA's", value="none")
                        for folder in cdi_use.OCI_HOOKS
                    ),
                ),
                remedy=Remedy(text="update Podman to 4.1 or newer", commands=upgrade(scene, ("podman",))),
                about=engine.title,
            )


RULE = Rule(id="D-CDI-8", link="engine", severity="error", look=_look)
