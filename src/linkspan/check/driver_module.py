"""The driver's kernel module: what of it is on disk for the kernel that runs, and what keeps it from being loaded."""

import re
from collections.abc import Iterator

from linkspan.check.distribution import Purpose, install_command, read
from linkspan.check.eyes import Eyes
from linkspan.check.scene import Device, Scene
from linkspan.facts.host import HostReader, glob

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""Four bytes of attributes, then 1 where it is on (UEFI, "Globally Defined Variables")."""
LOCKDOWN = "/sys/kernel/security/lockdown"
"""``none [integrity] confidentiality``, the one in brackets in force (kernel_lockdown(7))."""
ROOTS = ("/lib/modules", "/run/booted-system/kernel-modules/lib/modules")
_PLACES = (
    *(
        "updates/dkms",
        "updates",
        "extra",
        "extra/*",
        "kernel/drivers/video",
        "kernel/nvidia-*",
        "kernel/drivers/char/*",
    ),
    *("weak-updates", "weak-updates/*", "misc"),
)
"""Where DKMS, akmods, kmods and Ubuntu's signed packages put it below a kernel's folder."""
_MODULE = re.compile(r"^nvidia(-current|-tesla[-0-9]*|-legacy[-0-9x]*|-open)?\.ko(\.xz|\.zst|\.gz)?$")
_MODPROBE = ("/etc/modprobe.d/*.conf", "/run/modprobe.d/*.conf", "/usr/lib/modprobe.d/*.conf", "/lib/modprobe.d/*.conf")
_DEPENDENCIES_LIMIT = 4 << 20


def unserved(scene: Scene) -> list[Device]:
    """The GPUs on the bus that nobody has, or nouveau, on a host without NVIDIA's module in its kernel.

    Those that were given to a virtual machine (vfio-pci) are no business of containers.
    """
    if scene.has_driver:
        return []
    return [gpu for gpu in scene.gpus_by_pci if gpu.driver in ("", "nouveau", "nova_core")]


def held_by_nouveau(scene: Scene) -> list[Device]:
    """Of those the ones that nouveau has: by the bus, or since it is loaded and nobody else is told to have them."""
    loaded = "nouveau" in scene.modules
    return [gpu for gpu in unserved(scene) if gpu.driver == "nouveau" or (loaded and not gpu.driver)]


def on_disk(scene: Scene, kernel: str) -> str:
    """The file of the driver's module for a kernel, empty where there is none."""
    for root in ROOTS:
        folder = f"{root}/{kernel}"
        none: list[str] = []
        listed = scene.eyes.derive("module", f"{folder}/modules.dep", _listed, none)
        found = [f"{folder}/{path}" for path in listed] or list(_found(scene.eyes, folder))
        if found:
            return found[0]
    return ""


def _listed(host: HostReader, path: str) -> list[str]:
    """The module's files as depmod(8) lists them, each line beginning with one and a colon."""
    data = (host.read(path, 0, _DEPENDENCIES_LIMIT) or b"").decode("utf-8", "replace")
    paths = (line.partition(":")[0] for line in data.splitlines() if "nvidia" in line)
    return [path for path in paths if _MODULE.match(path.rpartition("/")[2])]


def _found(eyes: Eyes, folder: str) -> Iterator[str]:
    if not eyes.exists(folder):
        return
    for place in _PLACES:
        for found in glob(eyes, f"{folder}/{place}"):
            yield from (f"{found}/{name}" for name in eyes.names(found) if _MODULE.match(name))


def other_kernels(scene: Scene) -> list[str]:
    """The kernels other than the running one for which the module is on disk."""
    names = dict.fromkeys(name for root in ROOTS for name in scene.eyes.names(root))
    return [name for name in names if name != scene.kernel and on_disk(scene, name)]


def dkms_sources(scene: Scene) -> list[str]:
    """The folders below /var/lib/dkms that hold the driver, each of a version."""
    names = [name for name in scene.eyes.names("/var/lib/dkms") if name.startswith("nvidia") and "fs" not in name]
    return [
        f"/var/lib/dkms/{name}/{version}"
        for name in names
        for version in scene.eyes.names(f"/var/lib/dkms/{name}")
        if version[:1].isdigit()
    ]


def secured_by(scene: Scene) -> tuple[str, str, str]:
    """What makes the kernel refuse unsigned modules, as a file, its field and its value; empty where nothing does."""
    if (scene.eyes.read(SECURE_BOOT, 0, 16) or b"")[4:5] == b"\1":
        return SECURE_BOOT, "SecureBoot", "1"
    mode = re.search(r"\[(integrity|confidentiality)\]", scene.line(LOCKDOWN))
    if mode:
        return LOCKDOWN, "in force", mode[1]
    words = scene.line("/proc/cmdline").split()
    enforced = next((word for word in words if word.startswith("module.sig_enforce")), "")
    return (
        ("/proc/cmdline", enforced, "set") if enforced in ("module.sig_enforce", "module.sig_enforce=1") else ("",) * 3
    )


def settings(scene: Scene) -> list[tuple[str, list[str]]]:
    """The lines of modprobe.d that are no comments: the file, and its words (modprobe.d(5))."""
    paths = dict.fromkeys(path for pattern in _MODPROBE for path in glob(scene.eyes, pattern))
    lines = ((path, line.split()) for path in paths for line in (scene.eyes.text(path) or "").splitlines())
    return [(path, words) for path, words in lines if words and not words[0].startswith("#")]


def bars(words: list[str], module: str) -> bool:
    """True for a line of modprobe.d that keeps a module from being loaded."""
    plain = [word.replace("-", "_") for word in words]
    return plain[:2] == ["blacklist", module] or (
        plain[:2] == ["install", module] and plain[2:3] in (["/bin/false"], ["/bin/true"], ["/usr/bin/false"])
    )


def install(scene: Scene, purpose: Purpose, *, branch: str = "") -> tuple[str, ...]:
    """The command of this distribution that installs what a purpose needs, if it has one."""
    found = install_command(read(scene.eyes), purpose, kernel=scene.kernel, branch=branch)
    return (found,) if found and scene.has(found.split()[0]) else ()
