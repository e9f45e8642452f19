"""What host to simulate: the choice of the user, and the GPUs that follow from it. Nothing here touches a file."""

from typing import Literal

import msgspec

from linkspan.errors import RequestError
from linkspan.formats import versions
from linkspan.sim import models
from linkspan.sim.models import GpuModel, Profile

Layout = Literal["debian", "rhel", "nixos", "cos", "wsl", "tegra"]

NVIDIA_MAJOR = 195
UVM_MAJOR = 510
CAPS_MAJOR = 511
IMEX_MAJOR = 507
MAX_GPUS = 64
MAX_IMEX_CHANNELS = 2048  # as many as the driver makes by default (NVreg_ImexChannelCount)
MAX_NVSWITCHES = 12  # those of a DGX-2, the most that one host has
LONGEST_DRIVER = 20

# The buses of an eight GPU board; each further eight GPUs are in a PCI domain of their own.
BUSES = (0x1A, 0x1B, 0x4A, 0x4B, 0x8A, 0x8B, 0xCA, 0xCB)

# NVIDIA numbers the capabilities of all GPUs that there could be, 15 GPU instances of 8 compute instances each.
FIRST_CAP = 3
CAPS_OF_INSTANCE = 9
CAPS_OF_GPU = 15 * CAPS_OF_INSTANCE


class SimSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host to simulate.

    ``driver`` is a version, empty for the one that suits the model. ``mig`` is one profile, with which each GPU is
    filled, or the profiles that each GPU is cut into; ``mig_on`` limits that to the GPUs of these indices.
    ``shuffled_minors`` lets NVML's order differ from that of the nodes, as it does on some hosts. ``imex_channels`` and
    ``nvswitches`` are counts. ``faults`` are names of ``faults.FAULTS``, with ``=N`` for the GPU of index N.
    ``engines`` are names of ``engine_side.ENGINES``: with one, the host has a system that has booted, too, the bridge,
    and a CDI spec.
    """

    gpus: int = 1
    model: str = "H100"
    driver: str = ""
    mig: tuple[str, ...] = ()
    mig_on: tuple[int, ...] = ()
    layout: Layout = "debian"
    compat32: bool = False
    shuffled_minors: bool = False
    open_modules: bool = False
    drm: bool = False
    gds: bool = False
    gdrcopy: bool = False
    infiniband: bool = False
    sockets: bool = False
    imex_channels: int = 0
    nvswitches: int = 0
    faults: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()

    @property
    def gpu_model(self) -> GpuModel:
        """The model's figures; RequestError where it is unknown."""
        return models.model(self.model)

    @property
    def driver_version(self) -> str:
        """The driver's version, with the default of the model filled in."""
        return self.driver or self.gpu_model.driver


class SimMig(msgspec.Struct, frozen=True, kw_only=True):
    """A MIG device: one compute instance that fills its GPU instance, and the minors of its two capability nodes."""

    uuid: str
    profile: Profile
    gi: int
    ci: int = 0
    gi_cap: int
    ci_cap: int


class SimGpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU of the simulated host; ``index`` is NVML's where all GPUs are visible."""

    index: int
    minor: int
    uuid: str
    model: GpuModel
    domain: int
    bus: int
    mig: tuple[SimMig, ...] = ()

    @property
    def bus_id(self) -> str:
        """The PCI address as the kernel writes it: ``0000:1a:00.0``."""
        return f"{self.domain:04x}:{self.bus:02x}:00.0"


def check(spec: SimSpec) -> None:
    """Raise RequestError where the host that is asked for cannot be."""
    if not 0 <= spec.gpus <= MAX_GPUS:
        raise RequestError(f"{spec.gpus} GPUs asked for", hint=f"a simulated host has 0 to {MAX_GPUS}")
    if not 0 <= spec.imex_channels <= MAX_IMEX_CHANNELS or not 0 <= spec.nvswitches <= MAX_NVSWITCHES:
        hint = f"a simulated host has up to {MAX_IMEX_CHANNELS} IMEX channels and {MAX_NVSWITCHES} NVSwitches"
        raise RequestError(f"{spec.imex_channels} IMEX channels and {spec.nvswitches} NVSwitches asked for", hint=hint)
    _check_driver(spec)
    unknown = [index for index in spec.mig_on if index not in range(spec.gpus)]
    if unknown:
        raise RequestError(f"no GPU {unknown[0]} to cut with MIG", hint=f"the host has {spec.gpus} GPUs")


def _check_driver(spec: SimSpec) -> None:
    version, model = spec.driver_version, spec.gpu_model
    numbers = versions.parse(version)
    if not numbers or not 2 <= len(numbers) <= 3 or len(version) > LONGEST_DRIVER:
        raise RequestError(f"{version!r} is not a driver version", hint="write it as in 550.163.01")
    if numbers[0] < model.first_branch:
        hint = f"it takes {model.first_branch} or newer"
        raise RequestError(f"driver {version} does not know {model.name}", hint=hint)


def gpus(spec: SimSpec) -> tuple[SimGpu, ...]:
    """The GPUs of the host, in the order of the PCI bus; RequestError where it cannot be.

    A Jetson's is part of the chip, and on no bus.
    """
    check(spec)
    return () if spec.layout == "tegra" else tuple(_gpu(spec, index) for index in range(spec.gpus))


def _gpu(spec: SimSpec, index: int) -> SimGpu:
    minor = spec.gpus - 1 - index if spec.shuffled_minors else index
    cut = spec.mig if not spec.mig_on or index in spec.mig_on else ()
    return SimGpu(
        index=index,
        minor=minor,
        uuid=f"GPU-01000100-0000-0000-0000-{index:012x}",
        model=spec.gpu_model,
        domain=index // len(BUSES),
        bus=BUSES[index % len(BUSES)],
        mig=_mig_devices(spec.gpu_model, cut, index, minor),
    )


def _mig_devices(model: GpuModel, cut: tuple[str, ...], index: int, minor: int) -> tuple[SimMig, ...]:
    placed = sorted((_instance_id(profile, start), profile) for profile, start in place(model, cut))
    return tuple(_mig_device(gi, profile, index, minor) for gi, profile in placed)


def _mig_device(gi: int, profile: Profile, index: int, minor: int) -> SimMig:
    gi_cap = FIRST_CAP + minor * CAPS_OF_GPU + gi * CAPS_OF_INSTANCE
    uuid = f"MIG-01000100-0000-0000-{gi:04x}-{index:012x}"
    return SimMig(uuid=uuid, profile=profile, gi=gi, gi_cap=gi_cap, ci_cap=gi_cap + 1)


def _instance_id(profile: Profile, start: int) -> int:
    """The driver's GPU instance id: nodes of a binary tree over the memory, counted from the root.

    The whole GPU is 0, its halves 1 and 2, quarters 3 to 6, eighths 7 to 14, as in the examples of the MIG User Guide.
    """
    return 8 // profile.slots - 1 + start // profile.slots


def place(model: GpuModel, cut: tuple[str, ...]) -> list[tuple[Profile, int]]:
    """Where each instance goes: profile and first memory slot. One profile alone fills the GPU.

    RequestError for a profile that the model does not have, and for more than fits.
    """
    wanted = [model.profile(name) for name in cut]
    fill = len(wanted) == 1
    free_slots, free_slices = set(range(8)), 7
    placed: list[tuple[Profile, int]] = []
    for profile in sorted(wanted * 7 if fill else wanted, key=lambda profile: (-profile.slots, -profile.slices)):
        start = next((at for at in profile.starts if free_slots >= set(range(at, at + profile.slots))), None)
        if start is not None and profile.slices <= free_slices:
            placed.append((profile, start))
            free_slots -= set(range(start, start + profile.slots))
            free_slices -= profile.slices
        elif not fill:
            hint = "a GPU has 7 compute slices and 8 of memory"
            raise RequestError(f"{','.join(cut)} does not fit on one {model.name}", hint=hint)
    return placed
