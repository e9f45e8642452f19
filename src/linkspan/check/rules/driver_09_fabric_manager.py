"""The GPUs hang on NVSwitches, and no fabric manager of the driver's version has set these up."""

from collections.abc import Iterator

from linkspan.check.device_nodes import driven
from linkspan.check.driver_module import install
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import start_unit
from linkspan.check.scene import Device, Scene
from linkspan.facts.driver import VERSION_FILE, same_version
from linkspan.formats import procfs

PACKAGES = ("nvidia-fabricmanager", "nvidia-fabric-manager")
UNIT = "nvidia-fabricmanager"
PROGRAM = "nv-fabricmanager"
_PARAMS = "/proc/driver/nvidia/params"


def _look(scene: Scene) -> Iterator[Found]:
    switches = [device for device in scene.pci if device.is_switch]
    if not switches or not driven(scene) or _without_nvlink(scene):
        return
    package, version = fabric_manager(scene)
    running = [one for one in scene.processes.all.values() if one.name == PROGRAM]
    if not running:
        yield _not_running(scene, switches, package)
    elif (
        version
        and scene.processes.on_host(running[0].pid)
        and not same_version(version.partition("-")[0], scene.loaded_driver)
    ):
        yield _other_version(scene, package, version)


def fabric_manager(scene: Scene) -> tuple[str, str]:
    """The package that brings the fabric manager, and its version; empty where it is not installed."""
    found = ((name, version) for name, version in scene.packages.items() if name.startswith(PACKAGES))
    return next((item for item in found if "-dev" not in item[0]), ("", ""))


def _without_nvlink(scene: Scene) -> bool:
    """True where the GPUs were told to work alone (NVreg_NvLinkDisable)."""
    return procfs.params(scene.eyes.text(_PARAMS) or "").get("NvLinkDisable", "0") != "0"


def _not_running(scene: Scene, switches: list[Device], package: str) -> Found:
    branch = scene.loaded_driver.partition(".")[0]
    commands = start_unit(scene, UNIT) if package else install(scene, "fabric-manager", branch=branch)
    return Found(
        cause=f"this host has {len(switches)} NVSwitches, and nv-fabricmanager does not run: CUDA gives error 802",
        evidence=(
            Evidence(subject=switches[0].folder, field="class", value=switches[0].class_id),
            Evidence(subject="/proc", field="process nv-fabricmanager", value="not there"),
        ),
        remedy=Remedy(
            text="start the fabric manager" if package
            else f"install the fabric manager of driver {scene.loaded_driver} and start it",
            commands=commands,
        ),
    )  # fmt: skip


def _other_version(scene: Scene, package: str, version: str) -> Found:
    return Found(
        cause=f"the fabric manager is of version {version}, and the loaded driver of {scene.loaded_driver}",
        evidence=(
            Evidence(subject=f"package {package}", field="version", value=version),
            Evidence(subject=VERSION_FILE, field="NVRM version", value=scene.loaded_driver),
        ),
        remedy=Remedy(
            text=f"install the fabric manager of version {scene.loaded_driver} and restart it",
            commands=(f"systemctl restart {UNIT}",) if start_unit(scene, UNIT) else (),
        ),
        link="version",
    )


RULE = Rule(id="D-DRIVER-9", link="module", severity="error", look=_look)
