"""A bridge that cannot start a container: packages of two versions, a config.toml in error, no runc behind it."""

from collections.abc import Iterator

from linkspan.check import bridge, ldconfig
from linkspan.check.daemons import Engine, find_program
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import install, upgrade
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.errors import ConfigError
from linkspan.formats import toolkit_config

_TOGETHER = ("nvidia-container-toolkit", "nvidia-container-toolkit-base")


def _look(scene: Scene) -> Iterator[Found]:
    owners = {engine.title: bridge.owner(scene, engine) for engine in scene.engines}
    if "nvidia" in owners.values():
        yield from _mixed(scene)
    is_another_rules = "nvidia" in owners.values() and ldconfig.is_of_image(scene)  # D-LDCACHE-1
    if any(owners.values()) and not is_another_rules:
        yield from _in_error(scene)
    for engine in scene.engines:
        if bridge.owner(scene, engine):
            yield from _nothing_behind(scene, engine)


def _mixed(scene: Scene) -> Iterator[Found]:
    found = {name: scene.packages[name] for name in _TOGETHER if name in scene.packages}
    if len(set(found.values())) > 1:
        yield Found(
            cause="NVIDIA's toolkit is in two minds: "
            + " and ".join(f"{name} is {text}" for name, text in found.items()),
            evidence=tuple(
                Evidence(subject=f"package {name}", field="version", value=text) for name, text in found.items()
            ),
            remedy=Remedy(text="bring its packages to one version", commands=upgrade(scene, found)),
        )


def _in_error(scene: Scene) -> Iterator[Found]:
    text = scene.eyes.text(TOOLKIT_CONFIG)
    try:
        toolkit_config.parse(text or "", TOOLKIT_CONFIG)
    except ConfigError as error:
        yield Found(
            cause=f"the bridge cannot follow its configuration, and starts nothing: {error.message}",
            evidence=(Evidence(subject=error.subject or TOOLKIT_CONFIG, field="problem", value=error.message),),
            remedy=Remedy(
                text=error.hint or "correct it", commands=("linkspan config show",) if scene.has("linkspan") else ()
            ),
        )


def _nothing_behind(scene: Scene, engine: Engine) -> Iterator[Found]:
    """The runtime wrapper starts the first of these that is on the engine's PATH."""
    names = scene.toolkit.nvidia_container_runtime.runtimes
    sight = scene.sight(engine)
    if not any(
        sight.exists(name) if name.startswith("/") else find_program(sight, engine.path, name) for name in names
    ):
        yield Found(
            cause=f"no runtime stands behind the bridge: {' nor '.join(names)} is on {engine.title}'s PATH",
            evidence=(Evidence(subject=f"PATH of {engine.title}", value=engine.path),),
            remedy=Remedy(text="install runc", commands=install(scene, "runc")),
            about=engine.title,
        )


RULE = Rule(id="D-MODE-2", link="bridge", severity="error", look=_look)
