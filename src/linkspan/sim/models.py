"""The GPU models that can be simulated, with the figures that a real one reports.

Names, PCI ids and compute capabilities are those of NVIDIA's list of supported products; memory is ``memory.total`` as
nvidia-smi prints it; MIG profiles are those of NVIDIA's MIG User Guide, memory as ``nvidia-smi mig -lgip`` prints it.
``architecture`` and ``brand`` are NVML's numbers (``nvmlDeviceArchitecture_t``, ``nvmlBrandType_t``).
"""

from typing import NamedTuple

from linkspan.errors import RequestError

TURING, AMPERE, ADA, HOPPER, BLACKWELL = 6, 7, 8, 9, 10
TESLA, NVIDIA = 2, 14


class Profile(NamedTuple):
    """A size of MIG instance: compute slices of seven, memory slots of eight, MiB, streaming multiprocessors.

    ``starts`` are the memory slots that it may begin at.
    """

    name: str
    slices: int
    slots: int
    memory_mib: int
    multiprocessors: int
    starts: tuple[int, ...]


class GpuModel(NamedTuple):
    """A GPU product. PCI ids hold the device in the upper half and the vendor in the lower, as NVML has them.

    ``first_branch`` is the oldest driver branch that knows it.
    """

    name: str
    pci_device: int
    pci_subsystem: int
    memory_mib: int
    compute_capability: tuple[int, int]
    architecture: int
    brand: int
    multiprocessors: int
    power_w: int
    first_branch: int
    profiles: tuple[Profile, ...] = ()

    @property
    def driver(self) -> str:
        """A driver version that suits it: Debian 13's where that knows the model, else one of branch 570."""
        return "550.163.01" if self.first_branch <= 550 else "570.133.20"

    def profile(self, name: str) -> Profile:
        """The MIG profile of this name; RequestError where the model has none."""
        found = next((profile for profile in self.profiles if profile.name == name), None)
        if found:
            return found
        known = ", ".join(profile.name for profile in self.profiles)
        hint = f"its profiles are {known}" if known else "MIG is there on " + ", ".join(with_mig())
        raise RequestError(f"{self.name} has no MIG profile {name}", hint=hint, subject=name)


def _profiles(gigabytes: list[int], mib: list[int], multiprocessors: list[int]) -> tuple[Profile, ...]:
    """The six profiles that all data centre GPUs since the A100 have, from the smallest up, in one model's figures."""
    shapes = [
        (1, 1, (0, 1, 2, 3, 4, 5, 6)),
        (1, 2, (0, 2, 4, 6)),
        (2, 2, (0, 2, 4)),
        (3, 4, (0, 4)),
        (4, 4, (0,)),
        (7, 8, (0,)),
    ]
    rows = zip(shapes, gigabytes, mib, multiprocessors, strict=True)
    return tuple(Profile(f"{n}g.{gb}gb", n, slots, size, sms, at) for (n, slots, at), gb, size, sms in rows)


A100_SMS = [14, 14, 28, 42, 56, 98]
HOPPER_SMS = [16, 26, 32, 60, 64, 132]
BLACKWELL_SMS = [18, 30, 36, 70, 76, 148]

MODELS = {
    "T4": GpuModel("Tesla T4", 0x1EB810DE, 0x12A210DE, 15360, (7, 5), TURING, NVIDIA, 40, 70, 450),
    "A100": GpuModel(
        *("NVIDIA A100-SXM4-40GB", 0x20B010DE, 0x134F10DE, 40960, (8, 0), AMPERE, NVIDIA, 108, 400, 450),
        _profiles([5, 10, 10, 20, 20, 40], [4864, 9856, 9856, 19968, 19968, 40192], A100_SMS),
    ),
    "A100-80GB": GpuModel(
        *("NVIDIA A100-SXM4-80GB", 0x20B210DE, 0x146310DE, 81920, (8, 0), AMPERE, NVIDIA, 108, 400, 450),
        _profiles([10, 20, 20, 40, 40, 80], [9728, 19968, 19968, 40192, 40192, 80896], A100_SMS),
    ),
    "L40S": GpuModel("NVIDIA L40S", 0x26B910DE, 0x185110DE, 46068, (8, 9), ADA, NVIDIA, 142, 350, 525),
    "H100": GpuModel(
        *("NVIDIA H100 80GB HBM3", 0x233010DE, 0x16C110DE, 81559, (9, 0), HOPPER, NVIDIA, 132, 700, 525),
        _profiles([10, 20, 20, 40, 40, 80], [9984, 20096, 20096, 40448, 40448, 81152], HOPPER_SMS),
    ),
    "H200": GpuModel(
        *("NVIDIA H200", 0x233510DE, 0x18BE10DE, 143771, (9, 0), HOPPER, NVIDIA, 132, 700, 535),
        _profiles([18, 35, 35, 71, 71, 141], [16384, 33280, 33280, 71424, 71424, 143104], HOPPER_SMS),
    ),
    "B200": GpuModel(
        *("NVIDIA B200", 0x290110DE, 0x199910DE, 183359, (10, 0), BLACKWELL, NVIDIA, 148, 1000, 570),
        _profiles([23, 45, 45, 90, 90, 180], [22528, 45312, 45312, 91136, 91136, 182528], BLACKWELL_SMS),
    ),
    "GB200": GpuModel(
        *("NVIDIA GB200", 0x294110DE, 0x204610DE, 189471, (10, 0), BLACKWELL, NVIDIA, 152, 1200, 570),
        _profiles([23, 47, 47, 93, 93, 186], [22528, 46592, 46592, 94208, 94208, 188672], BLACKWELL_SMS),
    ),
}
ALIASES = {"A100-40GB": "A100", "H100-80GB": "H100"}


def model(name: str) -> GpuModel:
    """The model called ``name``, in any case; RequestError names the known ones."""
    key = name.upper()
    found = MODELS.get(ALIASES.get(key, key))
    if found is None:
        raise RequestError(f"no GPU model {name}", hint=f"the known ones are {', '.join(MODELS)}", subject=name)
    return found


def with_mig() -> list[str]:
    """The models that can be cut into MIG devices."""
    return [name for name, found in MODELS.items() if found.profiles]


# Driver branch and the newest CUDA that it can run, by NVIDIA's CUDA release notes.
CUDA_OF_BRANCH = {
    450: (11, 0),
    460: (11, 2),
    470: (11, 4),
    495: (11, 5),
    510: (11, 6),
    515: (11, 7),
    520: (11, 8),
    525: (12, 0),
    530: (12, 1),
    535: (12, 2),
    545: (12, 3),
    550: (12, 4),
    555: (12, 5),
    560: (12, 6),
    565: (12, 7),
    570: (12, 8),
    575: (12, 9),
    580: (13, 0),
    590: (13, 1),
}


def cuda_version(driver: str) -> int:
    """The CUDA version of a driver as NVML counts, 12040 for 12.4; an unknown branch has that of the one before."""
    branch = int(driver.partition(".")[0])
    known = max((known for known in CUDA_OF_BRANCH if known <= branch), default=min(CUDA_OF_BRANCH))
    major, minor = CUDA_OF_BRANCH[known]
    return major * 1000 + minor * 10
