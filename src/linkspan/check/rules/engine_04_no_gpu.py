"""There is no GPU of NVIDIA's in this host."""

from collections.abc import Iterator

from linkspan.check import wsl
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import NVIDIA, PCI, Scene


def _look(scene: Scene) -> Iterator[Found]:
    if scene.gpus_by_pci or wsl.kernel(scene) or scene.facts.platform in ("wsl", "tegra") or _is_arm(scene):
        return
    others = [name for name in scene.eyes.names(PCI) if scene.line(f"{PCI}/{name}/class").startswith("0x03")]
    vendors = ", ".join(f"{name} of vendor {scene.line(f'{PCI}/{name}/vendor')}" for name in others)
    seen = f"{len(scene.eyes.names(PCI))} PCI devices, graphics: {vendors or 'none'}"
    yield Found(
        cause=f"no PCI device here is a GPU of NVIDIA's (vendor {NVIDIA}, class 0x03)",
        evidence=(Evidence(subject=PCI, field="devices", value=seen),),
        remedy=Remedy(
            text="start containers without --gpus here; in a virtual machine, have its host pass a GPU through to it"
        ),
    )


def _is_arm(scene: Scene) -> bool:
    """A Jetson, whose GPU is not on the PCI bus."""
    return scene.eyes.exists("/etc/nv_tegra_release") or "tegra" in scene.line("/proc/device-tree/compatible")


RULE = Rule(id="D-ENGINE-4", link="pci", severity="error", look=_look)
