"""nouveau has the GPU, so NVIDIA's driver cannot."""

from collections.abc import Iterator

from linkspan.check.driver_module import bars, held_by_nouveau, settings
from linkspan.check.model import Action, Evidence, Found, Remedy, WriteFile
from linkspan.check.registry import Rule
from linkspan.check.remedies import reboot, rebuild_initramfs
from linkspan.check.scene import Device, Scene

FILE = "/etc/modprobe.d/linkspan-nouveau.conf"
TEXT = "blacklist nouveau\noptions nouveau modeset=0\n"


def _look(scene: Scene) -> Iterator[Found]:
    held = held_by_nouveau(scene)
    if held:
        yield _found(scene, held)


def _found(scene: Scene, held: list[Device]) -> Found:
    installed = any(library.soname == "libcuda.so.1" for library in scene.facts.libraries)
    barred = next((path for path, words in settings(scene) if bars(words, "nouveau")), "")
    then = "" if installed else ", then install NVIDIA's driver"
    text = "start anew with nouveau barred" if not barred else "make the start image anew, in which nouveau still is"
    writing: tuple[Action, ...] = (WriteFile(path=FILE, was=None, text=TEXT),)
    return Found(
        cause=f"the kernel's own driver nouveau holds the GPU at {held[0].address}",
        evidence=(
            *(Evidence(subject=f"{gpu.folder}/driver", field="link to", value=gpu.driver or "none") for gpu in held),
            Evidence(subject="/proc/modules", field="nouveau", value="loaded" if "nouveau" in scene.modules else "no"),
            Evidence(subject=barred or "/etc/modprobe.d", field="blacklist nouveau",
                     value="there" if barred else "in no file"),
        ),
        remedy=Remedy(
            text=text + then,
            commands=(
                *(() if barred else (f"printf '{TEXT.encode('unicode_escape').decode()}' > {FILE}",)),
                *rebuild_initramfs(scene),
                *reboot(scene),
            ),
            actions=() if barred or scene.eyes.exists(FILE) else writing,
        ),
    )  # fmt: skip


RULE = Rule(id="D-DRIVER-6", link="module", severity="error", look=_look)
