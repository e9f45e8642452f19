"""What a GPU host has, as frozen data. Nothing here looks at a machine.

Paths come in two kinds, and the names say which. ``path`` is the path below the driver root (or the device root), as
it stands on a host whose root is ``/``; it is what a container sees. ``host_path`` is where this machine keeps it: the
root joined in front, every symlink resolved *below that root*. Two hosts that differ only in their root have equal
``path``s.

A saved ``HostFacts`` is support bundle, test fixture and offline input in one (see ``snapshot``), so a part that is
missing is an empty field here and a line in ``missing``, never an exception.
"""

from typing import Literal

import msgspec

FORMAT = 1
"""The version of the saved form; raised when an old file can no longer be read."""

Platform = Literal["nvml", "wsl", "tegra", "none"]
Bits = Literal[32, 64]


class Model(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of all facts: frozen, and strict about unknown fields when read back."""


class Link(Model, frozen=True, kw_only=True):
    """A symlink: ``path`` is where it stands below the root, ``target`` its text, unchanged."""

    path: str
    target: str


class File(Model, frozen=True, kw_only=True):
    """A file or folder of the host that can be carried across."""

    path: str
    host_path: str


class Library(Model, frozen=True, kw_only=True):
    """A shared library of the driver, by its real file (symlinks resolved below the root).

    ``links`` are the symlinks in the same folder that lead to it, directly or through each other: the SONAME link and
    the development link. ``soname`` is empty where the ELF file names none or cannot be read.
    """

    path: str
    host_path: str
    soname: str = ""
    bits: Bits = 64
    links: tuple[Link, ...] = ()

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder it stands in, below the root."""
        return self.path.rpartition("/")[0] or "/"


class DeviceNode(Model, frozen=True, kw_only=True):
    """A device node. ``mode`` holds the permission bits only; ``host_path`` is where it stands on this machine."""

    path: str
    host_path: str
    type: Literal["c", "b"] = "c"
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0


class MigDevice(Model, frozen=True, kw_only=True):
    """A MIG device: compute instance ``ci`` of GPU instance ``gi`` of a GPU.

    ``index`` is NVML's, counted on its GPU, so that ``G:M`` names it. ``access`` are the two nodes below
    ``/dev/nvidia-caps`` that open it (GPU instance, compute instance); empty where ``mig-minors`` does not list them.
    """

    index: int
    uuid: str
    profile: str = ""
    gi: int = 0
    ci: int = 0
    memory_mib: int = 0
    graphics: bool = False
    access: tuple[str, ...] = ()


class Gpu(Model, frozen=True, kw_only=True):
    """A GPU as NVML reports it.

    ``index`` is NVML's order, ``minor`` the number of its ``/dev/nvidiaN``: the two differ on some hosts. ``path`` is
    its node, empty when that node does not exist. ``pci_bus_id`` has an eight digit domain: ``00000000:1A:00.0``.
    ``compute_capability`` is ``"9.0"``. ``drm`` are the paths of its DRM nodes, ``by_path`` the links to them.
    """

    index: int
    minor: int
    uuid: str
    name: str
    pci_bus_id: str
    path: str = ""
    brand: str = ""
    memory_mib: int = 0
    compute_capability: str = ""
    architecture: str = ""
    mig_enabled: bool = False
    mig: tuple[MigDevice, ...] = ()
    drm: tuple[str, ...] = ()
    by_path: tuple[Link, ...] = ()


class Driver(Model, frozen=True, kw_only=True):
    """The driver's version and where each reading of it came from.

    ``version`` is the one to go by: the kernel module's where it is loaded, since the user-space files must match it,
    else the libraries'. ``readings`` maps source (``proc``, ``nvml``, ``library``) to version; more than one value
    means a half-finished update, said in ``conflict`` as a sentence. ``cuda_version`` is the newest CUDA it can run,
    ``12.4``.
    """

    version: str = ""
    cuda_version: str = ""
    readings: dict[str, str] = {}
    conflict: str = ""
    open_kernel_modules: bool | None = None


class KernelModule(Model, frozen=True, kw_only=True):
    """A loaded kernel module of the GPU stack."""

    name: str
    version: str = ""
    used_by: tuple[str, ...] = ()


class CsvEntry(Model, frozen=True, kw_only=True):
    """A line of a Tegra mount specification: ``dev``, ``dir``, ``lib`` or ``sym`` and a path; ``source`` is FILE:LINE.

    ``host_path`` is empty where nothing stands there. ``hops`` are the links from ``path`` to its final target.
    """

    type: Literal["dev", "dir", "lib", "sym"]
    path: str
    source: str
    host_path: str = ""
    final: str = ""
    hops: tuple[Link, ...] = ()


class Config(Model, frozen=True, kw_only=True):
    """A vendor or profile file (EGL, Vulkan, OpenCL, Xorg, cufile) and where a container expects it."""

    path: str
    host_path: str
    container_path: str


class Missing(Model, frozen=True, kw_only=True):
    """A part that is not there, and how that was found: the doctor's raw material.

    ``optional`` parts are those that a healthy host may well do without.
    """

    part: str
    reason: str
    optional: bool = False


class Stamp(Model, frozen=True, kw_only=True):
    """A cheap witness that a fact is still true.

    ``kind`` says how ``value`` is read again: ``file`` is ``inode:size:mtime_ns``, ``node`` is ``major:minor``,
    ``text`` is the content of a small file (stripped), ``absent`` has no value. ``path`` is a path of this machine.
    """

    kind: Literal["file", "node", "text", "absent"]
    path: str
    value: str = ""


class HostFacts(Model, frozen=True, kw_only=True, omit_defaults=False):
    """All that linkspan knows about one host. Saved, every field is written, be it empty.

    ``libraries`` are those of the driver, 64 and 32 bit; ``library_folders`` the folders that hold 64-bit ones, the one
    of libcuda first. Among them are libraries that come along with a driver and are carried only when asked for (GLVND,
    contract 5.9). ``devices`` are all nodes of the stack that exist: GPUs, control nodes, caps, DRM, RDMA, GDS,
    GDRCopy, NVSwitch, IMEX, dxg. ``majors`` is ``/proc/devices`` for the drivers of the stack. ``caps`` maps entries of
    ``/proc/driver/nvidia-caps/mig-minors`` (``gpu0/gi1/access``) to minors. ``folders`` are what else is carried as it
    stands: /run/udev, and the data in WSL2's driver store, whose folder is ``wsl_store``.
    """

    format: int = FORMAT
    root: str = "/"
    dev_root: str = "/"
    platform: Platform = "none"
    arch: str = ""
    kernel: str = ""
    os_release: dict[str, str] = {}
    driver: Driver = Driver()
    modules: tuple[KernelModule, ...] = ()
    majors: dict[str, int] = {}
    devices: tuple[DeviceNode, ...] = ()
    caps: dict[str, int] = {}
    gpus: tuple[Gpu, ...] = ()
    libraries: tuple[Library, ...] = ()
    library_folders: tuple[str, ...] = ()
    binaries: tuple[File, ...] = ()
    firmware: tuple[File, ...] = ()
    sockets: tuple[File, ...] = ()
    configs: tuple[Config, ...] = ()
    folders: tuple[File, ...] = ()
    wsl_store: str = ""
    csv: tuple[CsvEntry, ...] = ()
    params_modify_device_files: bool = False
    missing: tuple[Missing, ...] = ()
    stamps: tuple[Stamp, ...] = ()

    def device(self, path: str) -> DeviceNode | None:
        """The node at ``path``, or None."""
        return next((node for node in self.devices if node.path == path), None)
