"""What the plan is made from: a look at a host that changes nothing, below any root."""

import re
from functools import cached_property

from linkspan.check import distribution, packages
from linkspan.check.distribution import Distribution
from linkspan.check.eyes import Eyes, Ledger, live
from linkspan.check.scene import PCI, Device, Scene
from linkspan.errors import FormatError
from linkspan.facts.host import glob
from linkspan.formats import procfs
from linkspan.setup import generations
from linkspan.setup.generations import Generation, Product

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "sbsa"}
"""The machine of uname(2), and what NVIDIA's repositories call it."""
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""Four bytes of attributes, then 1 where it is on (UEFI, "Globally Defined Variables")."""
MOK_LISTS = (
    "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
    "/sys/firmware/efi/mok-variables/MokListRT",
)
"""The keys that shim trusts; a certificate stands in there as it is in its file (shim's mok.c)."""
MOK_ASKED = "/sys/firmware/efi/efivars/MokNew-605dab50-e046-4300-abb6-3dd810dd8b23"
"""What ``mokutil --import`` wrote, until the next start confirms or refuses it."""
_HGX = ("0x2901", "0x3182")
"""The B200 and B300 that sit on such boards."""
_MELLANOX, _SWITCH_BRIDGE = "0x15b3", b"SW_MNG"
_MODULE = re.compile(r"^(?:\S*/)?nvidia(?:-current|-tesla-\w+)?\.ko(?:\.\w+)?:", re.MULTILINE)
"""``updates/dkms/nvidia.ko.xz:``; Debian adds the flavour to the name. Not nvidiafb, nor i2c-nvidia-gpu."""
_DEP_LIMIT = 8 << 20
_MODPROBE = ("/etc/modprobe.d/*.conf", "/usr/lib/modprobe.d/*.conf", "/lib/modprobe.d/*.conf")


class Look:
    """A host below a root. Each part is read when it is first asked for, and once."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self.scene = Scene(eyes)

    @cached_property
    def distribution(self) -> Distribution:
        """Which distribution it is."""
        return distribution.read(self.eyes)

    @cached_property
    def kernel(self) -> str:
        """The release of the kernel: of the one that runs, by /proc; below another root the newest that has modules."""
        told = self.scene.line("/proc/sys/kernel/osrelease")
        if told:
            return told
        installed = self.eyes.names("/lib/modules") if self.eyes.root else []
        return installed[-1] if installed else self.eyes.uname()[0]

    @cached_property
    def machine(self) -> str:
        """The machine of uname(2); of another root by its loader, for /proc does not tell."""
        if self.eyes.root and self.eyes.exists("/lib/ld-linux-aarch64.so.1"):
            return "aarch64"
        return "x86_64" if self.eyes.root else self.eyes.uname()[1]

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """The GPUs on the bus, by the names that the driver gives them where it is loaded."""
        return tuple(self._product(gpu) for gpu in self.scene.gpus_by_pci)

    def _product(self, gpu: Device) -> Product:
        found = generations.of(self.eyes, gpu.device_id)
        told = procfs.gpu_information(self.eyes.text(f"/proc/driver/nvidia/gpus/{gpu.address}/information") or "")
        return found._replace(name=told.get("Model", found.name))

    @property
    def generations(self) -> tuple[Generation, ...]:
        """Their generations, each once."""
        return tuple(dict.fromkeys(product.generation for product in self.products))

    @property
    def has_switch(self) -> bool:
        """True for a host with an NVSwitch."""
        return self.has_nvlink5 or any(device.is_switch for device in self.scene.pci)

    @cached_property
    def has_nvlink5(self) -> bool:
        """True for a host whose NVSwitches are on no PCI bus, but behind ConnectX-7 bridges: HGX B200 and B300.

        A bridge says ``SMDL=SW_MNG`` in its vital product data, which root alone may read: the GPUs tell it, too.
        """
        boards = [gpu for gpu in self.scene.gpus_by_pci if gpu.device_id in _HGX]
        return len(boards) > 1 or any(_SWITCH_BRIDGE in self._vpd(name) for name in self.eyes.names(PCI))

    def _vpd(self, name: str) -> bytes:
        if self.scene.line(f"{PCI}/{name}/vendor") != _MELLANOX:
            return b""
        return self.eyes.read(f"{PCI}/{name}/vpd", 0, 4096) or b""

    @cached_property
    def loaded_version(self) -> str:
        """The version of the driver's module in the kernel, empty where it is not loaded."""
        told = self.eyes.text("/proc/driver/nvidia/version")
        try:
            return procfs.driver_version(told).version if told else ""
        except FormatError:
            return ""

    @property
    def nouveau_loaded(self) -> bool:
        """True where nouveau is in the kernel."""
        return "nouveau" in self.scene.modules

    @cached_property
    def nouveau_barred_by(self) -> str:
        """The file of modprobe.d that keeps nouveau from being loaded, empty where none does."""
        paths = (path for pattern in _MODPROBE for path in glob(self.eyes, pattern))
        return next((path for path in paths if _bars_nouveau(self.eyes.text(path) or "")), "")

    @cached_property
    def secure_boot(self) -> bool:
        """True where the firmware starts signed programs alone, so that the kernel wants signed modules."""
        return (self.eyes.read(SECURE_BOOT, 0, 16) or b"")[4:5] == b"\1"

    def key_state(self, path: str) -> str:
        """Of the certificate in a file: ``enrolled``, ``asked for``, ``not enrolled``, or ``not there``."""
        key = self.eyes.read(path)
        if not key:
            return "not there"
        if any(key in (self.eyes.read(store) or b"") for store in MOK_LISTS):
            return "enrolled"
        return "asked for" if key in (self.eyes.read(MOK_ASKED) or b"") else "not enrolled"

    @cached_property
    def container(self) -> str:
        """What kind of container this is, empty on a host of its own."""
        if self.eyes.exists("/.dockerenv"):
            return "docker"
        if self.eyes.exists("/run/.containerenv"):
            return "podman"
        told = self.scene.line("/run/systemd/container") or self.scene.processes.environ(1).get("container", "")
        return "" if told == "wsl" else told  # systemd takes WSL2 for a container (detect-virt)

    @cached_property
    def is_wsl(self) -> bool:
        """True below Windows: the kernel is Microsoft's, or has its GPU device."""
        return self.eyes.exists("/dev/dxg") or "microsoft" in self.kernel.lower()

    @cached_property
    def is_tegra(self) -> bool:
        """True on a Jetson, whose GPU is on no PCI bus."""
        return self.eyes.exists("/etc/nv_tegra_release") or self.scene.facts.platform == "tegra"

    @property
    def has_display(self) -> bool:
        """True where a display manager starts with the system, which keeps the driver loaded by itself."""
        return self.eyes.status("/etc/systemd/system/display-manager.service") is not None

    @cached_property
    def has_module(self) -> bool:
        """True where a module of the driver is there for the kernel, by what depmod(8) wrote down of it."""
        return bool(_MODULE.search(self.eyes.text(f"/lib/modules/{self.kernel}/modules.dep", _DEP_LIMIT) or ""))

    @cached_property
    def knows_packages(self) -> bool:
        """True where the package manager's database can be read, so that what it does not name is not installed."""
        return packages.is_known(self.eyes)

    def installed(self, package: str) -> bool:
        """True where the package's database has it."""
        return package in self.scene.packages

    def file_with(self, pattern: str, *words: str) -> str:
        """The first file of a pattern that holds all of these words outside of comments, empty where none does."""
        for path in glob(self.eyes, pattern):
            lines = (self.eyes.text(path) or "").splitlines()
            text = "".join(f"{line.strip()}\n" for line in lines if not line.lstrip().startswith("#"))
            if all(word in text for word in words):
                return path
        return ""


def at(root: str = "/") -> Look:
    """A fresh look at the host below a folder of this machine."""
    return Look(live(root, Ledger()))


def _bars_nouveau(text: str) -> bool:
    lines = (line.split() for line in text.splitlines())
    return any(words in (["blacklist", "nouveau"], ["install", "nouveau", "/bin/false"]) for words in lines)
