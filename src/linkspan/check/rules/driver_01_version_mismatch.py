"""The driver's libraries are of another version than the loaded kernel module."""

from collections.abc import Iterator

from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.driver import VERSION_FILE, same_version


def _look(scene: Scene) -> Iterator[Found]:
    driver = scene.facts.driver
    loaded, on_disk = driver.readings.get("proc", ""), driver.readings.get("library", "")
    if not (loaded and on_disk) or same_version(loaded, on_disk):
        return
    library = next((one for one in scene.facts.libraries if one.name.startswith("libcuda.so")), None)
    yield Found(
        cause=f"the loaded kernel module is of driver {loaded}, and the libraries on disk are of {on_disk}",
        evidence=(
            Evidence(subject=VERSION_FILE, field="NVRM version", value=loaded),
            Evidence(subject=library.path if library else "driver libraries", field="version", value=on_disk),
        ),
        remedy=Remedy(
            text="reboot, so that the kernel module of the installed driver is loaded",
            commands=("systemctl reboot",) if scene.has("systemctl") else ("reboot",),
        ),
    )


RULE = Rule(id="D-DRIVER-1", link="version", severity="error", look=_look)
