"""Which driver: its version by every witness, its kernel modules, and what the kernel says of its devices."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from linkspan.errors import FormatError
from linkspan.facts.host import Survey, text
from linkspan.facts.model import Driver, KernelModule
from linkspan.facts.nodes import DXG
from linkspan.formats import procfs, versions

VERSION_FILE = "/proc/driver/nvidia/version"
_PARAMS = "/proc/driver/nvidia/params"
_MIG_MINORS = "/proc/driver/nvidia-caps/mig-minors"
_DEVICES = "/proc/devices"
_MODULES = "/proc/modules"

_STACK = ("nvidia", "gdrdrv", "nvgpu", "nouveau", "nova", "dxgkrnl", "mlx5_", "ib_uverbs", "rdma_", "infiniband", "drm")
"""What names of kernel modules and devices of the stack begin with; nouveau and nova are its rivals for the GPU."""


def kernel_module(survey: Survey) -> procfs.ModuleVersion | None:
    """The loaded kernel module, None where there is none."""
    content = text(survey.kernel, VERSION_FILE)
    if content is None:
        reason = f"{VERSION_FILE} is not there, so the module nvidia is not loaded"
        survey.miss("kernel driver", reason, optional=survey.nodes.status(DXG) is not None)
        return None
    try:
        return procfs.driver_version(content)
    except FormatError as error:
        survey.miss("kernel driver", f"{VERSION_FILE}: {error.message}")
        return None


def decide(readings: Mapping[str, str], *, is_open: bool | None, cuda_version: str) -> Driver:
    """The version to go by, of the readings ``proc``, ``nvml`` and ``library`` as far as there are any.

    The kernel module's wins, since only user-space files of the same version can talk to it; NVML answers only where it
    matches the module, so it comes next; the libraries' names are the last resort. Versions of unequal
    spelling are the same when their numbers are (``535.05`` and ``535.5``).
    """
    ranked = [(source, readings[source]) for source in ("proc", "nvml", "library") if readings.get(source)]
    version = ranked[0][1] if ranked else ""
    return Driver(
        version=version,
        cuda_version=cuda_version,
        readings=dict(ranked),
        conflict=_conflict(ranked),
        open_kernel_modules=is_open,
    )


_WITNESS = {"proc": "the loaded kernel module", "nvml": "the NVML library", "library": "the set of libraries on disk"}


def _conflict(ranked: list[tuple[str, str]]) -> str:
    for source, version in ranked:
        if not same_version(version, ranked[0][1]):
            return f"{_WITNESS[ranked[0][0]]} is of driver {ranked[0][1]}, {_WITNESS[source]} of {version}"
    return ""


def same_version(left: str, right: str) -> bool:
    """True where the numbers are the same, however they are spelled."""
    numbers, others = versions.parse(left), versions.parse(right)
    return left == right if numbers is None or others is None else versions.compare(numbers, others) == 0


def modules(survey: Survey) -> tuple[KernelModule, ...]:
    """The loaded kernel modules of the stack, in the order of /proc/modules: the newest first."""
    none: list[procfs.LoadedModule] = []
    loaded = _parsed(survey, _MODULES, procfs.modules, none)
    return tuple(
        KernelModule(name=name, version=_module_version(survey, name), used_by=used_by)
        for name, used_by in loaded
        if name.startswith(_STACK)
    )


def _module_version(survey: Survey, name: str) -> str:
    return (text(survey.kernel, f"/sys/module/{name}/version") or "").strip()


def majors(survey: Survey) -> dict[str, int]:
    """The major numbers of the stack's character devices."""
    found: dict[str, int] = _parsed(survey, _DEVICES, procfs.devices, {})
    return {name: major for name, major in found.items() if name.startswith(_STACK)}


def mig_minors(survey: Survey) -> dict[str, int]:
    """The entries of mig-minors: MIG access files, and ``config`` and ``monitor``."""
    return _parsed(survey, _MIG_MINORS, procfs.mig_minors, {})


def modifies_device_files(survey: Survey) -> bool:
    """True where the driver's user-space parts may create and change device nodes (contract 6.5)."""
    found: dict[str, str] = _parsed(survey, _PARAMS, procfs.params, {})
    return found.get("ModifyDeviceFiles") == "1"


def os_release(survey: Survey) -> dict[str, str]:
    """The distribution's own words, unquoted (os-release(5)), of the driver root."""
    content = text(survey.files, "/etc/os-release") or text(survey.files, "/usr/lib/os-release")
    if content is None:
        survey.miss("os-release", "neither /etc/os-release nor /usr/lib/os-release is there", optional=True)
    pairs = (line.split("=", 1) for line in (content or "").splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


T = TypeVar("T")


def _parsed(survey: Survey, path: str, parse: Callable[[str], T], absent: T) -> T:
    content = text(survey.kernel, path)
    if content is None:
        survey.miss(path, "is not there", optional=True)
        return absent
    try:
        return parse(content)
    except FormatError as error:
        survey.miss(path, error.message)
        return absent
