"""Commands that remedies have in common, each only where it exists on the host."""

import re
from collections.abc import Iterable

from linkspan.check import distribution
from linkspan.check.daemons import FILES, Engine
from linkspan.check.model import Remedy, WriteFile
from linkspan.check.scene import TOOLKIT_CONFIG, Scene

_UNITS = {"docker": "docker", "containerd": "containerd", "crio": "crio", "k3s": "k3s", "rke2": "rke2-server"}
_UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UPGRADES = {
    "apt-get": ("apt-get update", "apt-get install -y --only-upgrade {}"),
    "dnf": ("dnf upgrade -y {}",),
    "yum": ("yum update -y {}",),
    "zypper": ("zypper --non-interactive update {}",),
}
_PURGES = {
    "apt-get": "apt-get purge -y {}",
    "dnf": "dnf remove -y {}",
    "yum": "yum remove -y {}",
    "zypper": "zypper --non-interactive remove {}",
}


def restart(scene: Scene, engine: Engine) -> tuple[str, ...]:
    """How an engine's daemon is started anew; nothing for one that has none."""
    unit = _UNITS.get(engine.rancher or engine.kind, "")
    if engine.snap:
        return ("snap restart docker",)
    if not unit or engine.process is None:
        return ()
    if not _has_systemd(scene):
        return (f"service {unit} restart",) if scene.has("service") else ()
    return (f"systemctl --user restart {unit}",) if engine.rootless else (f"systemctl restart {unit}",)


def _has_systemd(scene: Scene) -> bool:
    return scene.eyes.exists("/run/systemd/system") and scene.has("systemctl")


def reboot(scene: Scene) -> tuple[str, ...]:
    """How this host is started anew."""
    return ("systemctl reboot",) if _has_systemd(scene) else ("reboot",) if scene.has("reboot") else ()


def start_unit(scene: Scene, unit: str) -> tuple[str, ...]:
    """How a service is started now and at each boot, where its unit is installed."""
    there = any(scene.eyes.exists(f"{folder}/{unit}.service") for folder in _UNIT_FOLDERS)
    return (f"systemctl enable --now {unit}",) if there and _has_systemd(scene) else ()


def programs(scene: Scene, *commands: str) -> tuple[str, ...]:
    """Those commands whose program exists here."""
    return tuple(command for command in commands if scene.has(command.split()[0]))


def rebuild_initramfs(scene: Scene) -> tuple[str, ...]:
    """How the image that the kernel starts with is made anew."""
    return programs(scene, "update-initramfs -u", "dracut --force")[:1]


def install(scene: Scene, purpose: distribution.Purpose) -> tuple[str, ...]:
    """How the packages for a purpose are installed here; nothing where this distribution has none."""
    command = distribution.install_command(distribution.read(scene.eyes), purpose)
    return (command,) if command and scene.has(command.split(maxsplit=1)[0]) else ()


def upgrade(scene: Scene, names: Iterable[str]) -> tuple[str, ...]:
    """How packages that are installed are brought to their newest version."""
    listed = " ".join(names)
    for program, command in _UPGRADES.items():
        if listed and scene.has(program):
            return tuple(line.format(listed) for line in command)
    return ()


def purge(scene: Scene, names: Iterable[str]) -> tuple[str, ...]:
    """How packages are taken away."""
    listed = " ".join(names)
    for program, command in _PURGES.items():
        if listed and scene.has(program):
            return (command.format(listed),)
    return ()


def configure(scene: Scene, engine: Engine, *options: str) -> tuple[str, ...]:
    """How an engine is told of the bridge: by the user whose engine it is."""
    if not scene.has("linkspan"):
        return ()
    name = engine.rancher or engine.kind
    usual = engine.rancher or engine.snap or engine.rootless or engine.config == FILES[engine.kind]
    elsewhere = () if usual else ("--config", engine.config)
    return (" ".join(("linkspan engine configure", name, *options, *elsewhere, "--restart")),)


_SWITCH = re.compile(r"^([ \t]*)#?[ \t]*no-cgroups[ \t]*=.*$", re.MULTILINE)


def set_no_cgroups(scene: Scene, *, on: bool) -> Remedy:
    """NVIDIA's switch for device rules in its config.toml, with the edit itself where the file has that line."""
    was = scene.eyes.text(TOOLKIT_CONFIG)
    text = _SWITCH.sub(rf"\1no-cgroups = {str(on).lower()}", was or "", count=1)
    actions = (WriteFile(path=TOOLKIT_CONFIG, was=was, text=text),) if was is not None and text != was else ()
    word = "true" if on else "false"
    return Remedy(text=f"set no-cgroups = {word} in {TOOLKIT_CONFIG}, then start the containers anew", actions=actions)
