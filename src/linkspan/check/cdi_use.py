"""Which engines of a host give GPUs by CDI names, and what a rule about specs has in common with the others."""

import re

from linkspan.check import bridge
from linkspan.check.daemons import Engine
from linkspan.check.eyes import Eyes
from linkspan.check.model import Remedy, RunProgram
from linkspan.check.scene import Scene
from linkspan.check.specs import KIND, Specs
from linkspan.engines import docker
from linkspan.engines.model import get
from linkspan.store.registry import SPEC_FOLDERS
from linkspan.store.spec_file import SIZE_LIMIT, SpecFile

REFRESH = ("linkspan", "cdi", "refresh")
USUAL = "/var/run/cdi/nvidia.yaml"
"""Where that command writes, and the service of NVIDIA's toolkit does."""
UNSEEN = "/run/cdi"
"""Where specs land whose writer took /var/run for a link to /run."""
SEEN = "/var/run/cdi"
OCI_HOOKS = ("/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d")
"""Where the hook of NVIDIA's toolkit is registered for Podman (oci-hooks(5)), which then needs no CDI."""
PODMAN_SINCE = (4, 1)
_KIND = re.compile(rb"""(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?([^"',\s]+)""", re.MULTILINE)
_UNITS = ("linkspan-refresh", "nvidia-cdi-refresh")
_WANTS = ("/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/default.target.wants")


def by_name_only(scene: Scene) -> list[Engine]:
    """The engines whose only way to a GPU is the name of a CDI device."""
    found = [engine for engine in scene.engines if knows_cdi(engine) and not bridge.owner(scene, engine)]
    return [engine for engine in found if not has_other_way(scene, engine)]


def has_other_way(scene: Scene, engine: Engine) -> bool:
    """True for a Podman with NVIDIA's hook, and for one that only stands beside an engine that gives the GPUs here.

    Many distributions install Podman by themselves. Where it has no container that runs, nobody misses a spec.
    """
    if engine.kind != "podman":
        return False
    if any("nvidia" in name for folder in OCI_HOOKS for name in scene.eyes.names(folder)):
        return True
    others = (one for one in scene.engines if one is not engine)
    return any(bridge.owner(scene, one) for one in others) and not any(
        one.engine == "podman" for one in scene.containers
    )


def knows_cdi(engine: Engine) -> bool:
    """True where an engine takes names of CDI devices, as it is configured."""
    if engine.kind == "docker":
        return engine.view.cdi is True or (engine.view.cdi is None and engine.version >= docker.CDI_ON_SINCE)
    return engine.kind == "podman" and (not engine.version or engine.version >= PODMAN_SINCE)


def specs_of(scene: Scene, engine: Engine) -> Specs:
    """The specs that an engine reads: those of its own folders, where its configuration names some."""
    named = get(engine.tree, ("engine", "cdi_spec_dirs") if engine.kind == "podman" else ("cdi-spec-dirs",), None)
    folders = tuple(str(one).rstrip("/") for one in named) if isinstance(named, list) else ()
    if not folders or set(folders) == set(SPEC_FOLDERS):
        return scene.specs
    return Specs(scene.sight(engine), folders)


def is_nvidias(eyes: Eyes, file: SpecFile) -> bool:
    """True for a spec of NVIDIA's devices, also for one that no engine can use, by its name or text."""
    return "nvidia" in file.path or b"nvidia" in (eyes.read(file.path, 0, SIZE_LIMIT + 1) or b"")


def unreadable(scene: Scene) -> list[SpecFile]:
    """The specs of NVIDIA's devices that no engine can use."""
    return [file for file in scene.specs.unreadable if is_nvidias(scene.eyes, file)]


def refresh(scene: Scene, text: str = "have the spec made anew", path: str = USUAL) -> Remedy:
    """Make a spec anew in its own place, by hand and by ``--fix``.

    In its own place, since a second file in the folder would define the same devices, and engines would use neither.
    For the same reason ``--fix`` leaves it alone where there are more files of these devices.
    """
    argv = _command(scene, path)
    more = [file.path for file in scene.specs.of_kind() if file.path != path and _folder(file.path) == _folder(path)]
    if not argv or _is_of_another_kind(scene.eyes, path):
        return Remedy(text=text)
    if more:
        return Remedy(text=f"{text}, in one file for all", commands=(f"rm {' '.join(more)}", " ".join(argv)))
    actions = (RunProgram(argv=argv),) if argv[0] == REFRESH[0] else ()
    return Remedy(text=text, commands=(" ".join(argv),), actions=actions)


def _command(scene: Scene, path: str) -> tuple[str, ...]:
    if scene.has("linkspan"):
        return REFRESH if path == USUAL else (*REFRESH, f"--output={path}")
    return ("nvidia-ctk", "cdi", "generate", f"--output={path}") if scene.has("nvidia-ctk") else ()


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _is_of_another_kind(eyes: Eyes, path: str) -> bool:
    """A spec of management containers, or of a claim in Kubernetes: its own maker has to write it."""
    found = _KIND.search(eyes.read(path, 0, SIZE_LIMIT + 1) or b"")
    return found is not None and found[1] != KIND.encode()


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
