"""Whose bridge an engine starts containers with: linkspan's or NVIDIA's. Some failures are of one of them only."""

import posixpath
from typing import Literal

from linkspan.check.daemons import USUAL_PATH, Engine, find_program
from linkspan.check.eyes import Eyes
from linkspan.check.scene import HOOKS, Scene
from linkspan.formats import versions

Owner = Literal["linkspan", "nvidia", ""]
TOOLKIT = ("nvidia-container-toolkit", "nvidia-container-toolkit-base", "nvidia-container-runtime")
LIBRARY = ("libnvidia-container1", "libnvidia-container-tools")


def of_program(eyes: Eyes, path: str) -> Owner:
    """Whose a program is, by the file that its links lead to; empty where there is none."""
    real = eyes.real(path) if path else None
    if real is None:
        return ""
    return "linkspan" if posixpath.basename(real).startswith("linkspan") else "nvidia"


def hook(scene: Scene, engine: Engine) -> str:
    """The prestart hook that a Docker finds on its PATH, empty where it finds none."""
    sight = scene.sight(engine)
    return next((place for name in HOOKS if (place := find_program(sight, engine.path, name))), "")


def owner(scene: Scene, engine: Engine) -> Owner:
    """Whose bridge an engine uses, by its hook or its runtime."""
    sight = scene.sight(engine)
    by_hook = of_program(sight, hook(scene, engine)) if engine.kind == "docker" else ""
    return by_hook or of_program(sight, _runtime(sight, engine))


def _runtime(sight: Eyes, engine: Engine) -> str:
    program = engine.view.runtimes.get("nvidia", "")
    return program if program.startswith("/") else find_program(sight, engine.path, program) if program else ""


def nvidias(scene: Scene, *kinds: str) -> list[Engine]:
    """The engines of these kinds that use NVIDIA's toolkit."""
    return [engine for engine in scene.engines_of(*kinds) if owner(scene, engine) == "nvidia"]


def toolkit_version(scene: Scene) -> tuple[int, ...]:
    """The version of NVIDIA's toolkit by its package, empty where none is installed."""
    return _version(scene, TOOLKIT)


def library_version(scene: Scene) -> tuple[int, ...]:
    """The version of NVIDIA's libnvidia-container by its package, which sets the devices of its hook."""
    return _version(scene, LIBRARY)


def _version(scene: Scene, names: tuple[str, ...]) -> tuple[int, ...]:
    text = next((scene.packages[name] for name in names if name in scene.packages), "")
    return versions.parse(text.partition("-")[0].partition("~")[0]) or ()


def installed_programs(scene: Scene) -> list[str]:
    """The hook programs that stand on the usual PATH, whoever's they are."""
    return [place for name in HOOKS if (place := scene.find(name, USUAL_PATH))]
