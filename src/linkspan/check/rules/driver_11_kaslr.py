"""nvidia-uvm found no free range of addresses for the GPUs' memory: the kernel's layout was shuffled into its way.

CUDA's release notes (12.2 and later, known issues) name the message, and both ways around it.
"""

from collections.abc import Iterator

from linkspan.check.device_nodes import driven
from linkspan.check.driver_module import settings
from linkspan.check.kernel_messages import newest
from linkspan.check.model import Evidence, Found, Remedy, WriteFile
from linkspan.check.registry import Rule
from linkspan.check.remedies import reboot, rebuild_initramfs
from linkspan.check.scene import Scene

FILE = "/etc/modprobe.d/linkspan-uvm.conf"
TEXT = "options nvidia_uvm uvm_disable_hmm=1\n"
_MESSAGE = r"request_free_mem_region\(\) err -34"


def _look(scene: Scene) -> Iterator[Found]:
    message = newest(scene, _MESSAGE)
    if message is None or not driven(scene) or _worked_around(scene):
        return
    cmdline = scene.line("/proc/cmdline")
    yield Found(
        cause="nvidia-uvm could not reserve addresses for GPU memory, since KASLR took the room: CUDA cannot start",
        evidence=(message, Evidence(subject="/proc/cmdline", field="nokaslr", value="not in it")),
        remedy=Remedy(
            text=f"write '{TEXT.strip()}' to {FILE} and start anew, or start the kernel with nokaslr",
            commands=(f"echo '{TEXT.strip()}' > {FILE}", *rebuild_initramfs(scene), *reboot(scene)),
            actions=() if scene.eyes.exists(FILE) or not cmdline else (WriteFile(path=FILE, was=None, text=TEXT),),
        ),
    )


def _worked_around(scene: Scene) -> bool:
    """True where the next start, or this one, does without."""
    told = scene.line("/sys/module/nvidia_uvm/parameters/uvm_disable_hmm")
    barred = any("uvm_disable_hmm=1" in words for _, words in settings(scene))
    return told in ("Y", "1") or barred or "nokaslr" in scene.line("/proc/cmdline").split()


RULE = Rule(id="D-DRIVER-11", link="module", severity="error", look=_look)
