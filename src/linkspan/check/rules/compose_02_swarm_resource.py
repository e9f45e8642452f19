"""Swarm gave a container GPUs by a variable that nothing on this host reads."""

from collections.abc import Iterator

from linkspan.check.containers import Container
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_PREFIX = "DOCKER_RESOURCE_"
_MARKS = ("GPU", "NVIDIA")


def _look(scene: Scene) -> Iterator[Found]:
    read = {name.strip() for name in scene.toolkit.swarm_resource.split(",") if name.strip()}
    for container in scene.containers:
        given = next((name for name in container.env if _is_of_gpus(name)), "")
        if given and not container.has_gpus and scene.has_driver:
            yield _found(scene, container, given, known=given in read)


def _is_of_gpus(name: str) -> bool:
    return name.startswith(_PREFIX) and any(mark in name.upper() for mark in _MARKS)


def _found(scene: Scene, container: Container, name: str, *, known: bool) -> Found:
    why = (
        "the configuration knows that variable, and the runtime that started it does not honour it"
        if known
        else f"swarm-resource in {TOOLKIT_CONFIG} does not name it"
    )
    setting = scene.toolkit.swarm_resource or "not set"
    return Found(
        cause=f"Swarm gave the container {name}={container.env[name][:60]}, and it has no GPU: {why}",
        evidence=(
            Evidence(subject=f"/proc/{container.pid}/environ", field=name, value=container.env[name][:80]),
            Evidence(subject=TOOLKIT_CONFIG, field="swarm-resource", value=setting),
        ),
        remedy=Remedy(
            text="start services by the nvidia runtime of linkspan, which reads it"
            if known
            else f'set swarm-resource = "{name}" in {TOOLKIT_CONFIG}, and let the service start anew'
        ),
        about=container.name,
    )


RULE = Rule(id="D-COMPOSE-2", link="request", severity="error", look=_look)
