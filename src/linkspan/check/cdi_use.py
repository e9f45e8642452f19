"""Which engines of a host give GPUs by CDI names, and what a rule about specs has in common with the others."""

from linkspan.check import bridge
from linkspan.check.daemons import Engine
from linkspan.check.eyes import Eyes
from linkspan.check.model import Remedy, RunProgram
from linkspan.check.scene import Scene
from linkspan.check.specs import KIND, Specs
from linkspan.engines import docker
from linkspan.store.spec_file import SpecFile

REFRESH = ("linkspan", "cdi", "refresh")
UNSEEN = "/run/cdi"
"""Where specs land whose writer took /var/run for a link to /run."""
SEEN = "/var/run/cdi"
_UNITS = ("linkspan-refresh", "nvidia-cdi-refresh")
_WANTS = ("/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/default.target.wants")


def by_name_only(scene: Scene) -> list[Engine]:
    """The engines whose only way to a GPU is the name of a CDI device."""
    return [engine for engine in scene.engines if knows_cdi(engine) and not bridge.owner(scene, engine)]


def knows_cdi(engine: Engine) -> bool:
    """True where an engine takes names of CDI devices, as it is configured."""
    if engine.kind == "docker":
        return engine.view.cdi is True or (engine.view.cdi is None and engine.version >= docker.CDI_ON_SINCE)
    return engine.kind == "podman"


def refresh(scene: Scene, text: str = "have the spec made anew") -> Remedy:
    """Make the spec anew, by hand and by ``--fix``."""
    if not scene.has("linkspan"):
        ctk = "nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml"
        return Remedy(text=text, commands=(ctk,) if scene.has("nvidia-ctk") else ())
    return Remedy(text=text, commands=(" ".join(REFRESH),), actions=(RunProgram(argv=REFRESH),))


def refresh_unit(eyes: Eyes) -> str:
    """The unit that is to keep the spec true, and is switched on; empty where none is."""
    places = (f"{folder}/{unit}.{kind}" for folder in _WANTS for unit in _UNITS for kind in ("service", "path"))
    return next((place for place in places if eyes.link(place) is not None), "")


def unseen(scene: Scene) -> list[str]:
    """Specs in /run/cdi, where that is not the folder that engines look into."""
    if scene.eyes.real(UNSEEN) == scene.eyes.real(SEEN):
        return []
    return [f"{UNSEEN}/{name}" for name in scene.eyes.names(UNSEEN) if name.endswith((".json", ".yaml"))]


def in_use(specs: Specs) -> list[SpecFile]:
    """The spec files that define a device which no file of a more important folder defines again."""
    last = {found[-1][0].path for found in specs.devices.values()}
    return [file for file in specs.of_kind(KIND) if file.path in last]


def is_wanted(scene: Scene) -> bool:
    """True on a host that has something to write a spec of."""
    return scene.has_driver and bool(scene.facts.gpus or scene.facts.platform == "wsl")
