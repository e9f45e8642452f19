"""GPUs: as NVML tells them, else as far as /proc knows them.

NVML is asked in a process of its own (``ask_nvml``). The library belongs to the driver root: it may be of another
distribution, hang on a GPU that fell off the bus, or crash; then that process ends, not ours, and the reason is a fact.
It is loaded by its full path below the root, into an empty environment (no LD_PRELOAD, no LD_LIBRARY_PATH), without
chroot, and with our rights: it is the library that every program of the host's root loads anyway. As for
every user of NVML, the driver may create missing device nodes while it answers (``ModifyDeviceFiles``), so nodes are
read afterwards.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec

from linkspan.errors import FormatError, KernelError
from linkspan.facts import nodes
from linkspan.facts.host import Survey, text
from linkspan.facts.model import DeviceNode, Gpu, MigDevice, Model
from linkspan.formats import procfs
from linkspan.kernel import process

TIMEOUT_S = 120.0
"""GPUs without persistence mode wake up one after the other, for seconds each."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_PROGRAM = os.path.join(os.path.dirname(__file__), "ask_nvml.py")
_PROC_GPUS = "/proc/driver/nvidia/gpus"

# nvmlBrandType_t and nvmlDeviceArchitecture_t of nvml.h; brands as libnvidia-container spells them (contract 4.2).
_BRANDS = (
    *("Unknown", "Quadro", "Tesla", "NVS", "GRID", "GeForce", "TITAN", "VApps", "VPC", "VCS", "VWS", "CloudGaming"),
    *("QuadroRTX", "NvidiaRTX", "Nvidia", "GeForceRTX", "TitanRTX"),
)
_ARCHITECTURES = {
    2: "Kepler",
    3: "Maxwell",
    4: "Pascal",
    5: "Volta",
    6: "Turing",
    7: "Ampere",
    8: "Ada Lovelace",
    9: "Hopper",
    10: "Blackwell",
    13: "Rubin",
}


class MigReport(Model, frozen=True, kw_only=True):
    """A MIG device as NVML has it."""

    index: int
    uuid: str
    name: str = ""
    gi: int = 0
    ci: int = 0
    memory_mib: int = 0


class GpuReport(Model, frozen=True, kw_only=True):
    """A GPU as NVML has it: brand and architecture are its numbers."""

    index: int
    minor: int
    uuid: str
    name: str
    pci_bus_id: str
    brand: int = 0
    memory_mib: int = 0
    compute_capability: str = ""
    architecture: int = 0
    mig_enabled: bool = False
    mig: tuple[MigReport, ...] = ()


class Report(Model, frozen=True, kw_only=True):
    """What NVML says. ``errors`` are sentences about what it could not say."""

    driver_version: str = ""
    cuda_version: str = ""
    gpus: tuple[GpuReport, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """True where NVML worked, be it without any GPU."""
        return bool(self.driver_version)


Source = Callable[[str], Report]
"""Asks the NVML library that stands in a file of this machine."""


def ask(library: str) -> Report:
    """The answer of the NVML library in this file; never raises, since a broken one is a fact."""
    try:
        result = process.run([*process.own_python(), _PROGRAM, library], env=_ENVIRONMENT, timeout_s=TIMEOUT_S)
        return msgspec.json.decode(result.stdout, type=Report)
    except KernelError as error:
        return Report(errors=(error.message.replace(sys.executable, "the process that asked it"),))
    except msgspec.DecodeError as error:
        return Report(errors=(f"the library disturbed its own answer: {error}",))


def gpus(survey: Survey, report: Report, devices: Sequence[DeviceNode], caps: Mapping[str, int]) -> tuple[Gpu, ...]:
    """The GPUs, by NVML where it answered, else by /proc, with the nodes that exist."""
    known = _from_proc(survey)
    reports = report.gpus if report.answered else known
    present = {node.path for node in devices}
    seen = {_long_bus_id(gpu.pci_bus_id) for gpu in reports}
    for gpu in known:
        if _long_bus_id(gpu.pci_bus_id) not in seen:
            why = "" if f"/dev/nvidia{gpu.minor}" in present else f", since there is no /dev/nvidia{gpu.minor}"
            survey.miss(f"GPU {gpu.pci_bus_id}", f"the kernel module has it, but NVML does not show it{why}")
    return tuple(_gpu(survey, gpu, present, caps) for gpu in reports)


def _gpu(survey: Survey, report: GpuReport, present: set[str], caps: Mapping[str, int]) -> Gpu:
    path = f"/dev/nvidia{report.minor}"
    if path not in present and nodes.DXG not in present:
        survey.miss(path, f"GPU {report.index} ({report.uuid or report.pci_bus_id}) has no device node")
    drm, by_path = nodes.drm(survey, report.pci_bus_id)
    return Gpu(
        index=report.index,
        minor=report.minor,
        uuid=report.uuid,
        name=report.name,
        pci_bus_id=_long_bus_id(report.pci_bus_id),
        path=path if path in present else "",
        brand=_BRANDS[report.brand] if 0 < report.brand < len(_BRANDS) else "",
        memory_mib=report.memory_mib,
        compute_capability=report.compute_capability,
        architecture=_ARCHITECTURES.get(report.architecture, ""),
        mig_enabled=report.mig_enabled,
        mig=tuple(_mig(survey, mig, report.minor, caps) for mig in report.mig),
        drm=tuple(node.path for node in drm),
        by_path=by_path,
    )


def _mig(survey: Survey, report: MigReport, gpu_minor: int, caps: Mapping[str, int]) -> MigDevice:
    instance = f"gpu{gpu_minor}/gi{report.gi}"
    minors = [caps.get(f"{instance}/access"), caps.get(f"{instance}/ci{report.ci}/access")]
    if None in minors:
        survey.miss(f"MIG device {report.uuid}", f"{instance} is not in mig-minors, so no node opens it")
    profile = report.name.rpartition("MIG ")[2].rstrip(")") if "MIG " in report.name else ""
    return MigDevice(
        index=report.index,
        uuid=report.uuid,
        profile=profile,
        gi=report.gi,
        ci=report.ci,
        memory_mib=report.memory_mib,
        # The attributes follow the sizes: 1g.12gb+gfx, 1g.10gb+me.all
        graphics="gfx" in profile.replace(".", "+").split("+"),
        access=() if None in minors else tuple(f"{nodes.CAPS}/nvidia-cap{minor}" for minor in minors),
    )


def _long_bus_id(bus_id: str) -> str:
    domain, _, rest = bus_id.upper().partition(":")
    return f"{domain.rjust(8, '0')}:{rest}"


def _from_proc(survey: Survey) -> tuple[GpuReport, ...]:
    """The GPUs that the kernel module lists, in the order of their PCI addresses, which is NVML's."""
    found: list[GpuReport] = []
    for name in survey.kernel.names(_PROC_GPUS):
        path = f"{_PROC_GPUS}/{name}/information"
        try:
            found.append(_from_information(len(found), text(survey.kernel, path) or ""))
        except FormatError as error:
            survey.miss(path, error.message)
    return tuple(found)


def _from_information(index: int, content: str) -> GpuReport:
    fields = procfs.gpu_information(content)
    minor, bus_id, uuid = fields.get("Device Minor", ""), fields.get("Bus Location", ""), fields.get("GPU UUID", "")
    if not (minor.isascii() and minor.isdigit() and bus_id):
        raise FormatError("it names no device minor or no bus location")
    return GpuReport(
        index=index,
        minor=int(minor),
        uuid="" if "?" in uuid else uuid,  # the module writes question marks until the GPU has first been used
        name=fields.get("Model", ""),
        pci_bus_id=bus_id,
    )
