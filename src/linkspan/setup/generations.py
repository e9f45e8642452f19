"""GPU generations by PCI id: which driver branches know them, and with which kernel modules.

NVIDIA numbers its devices by chip, so that a range of ids is a chip's. The ranges are those of NVIDIA's list of
supported products (Appendix A of the driver's README, and its supported-gpus.json). Where a host has that list, it
comes first: it knows products that are newer than this table.

- Open kernel modules drive Turing and newer, only those drive Grace Hopper and Blackwell, and since branch 560 they are
  the ones that NVIDIA advises (https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/kernel-modules.html,
  https://developer.nvidia.com/blog/nvidia-transitions-fully-towards-open-source-gpu-kernel-modules/).
- Maxwell, Pascal and Volta have 580 as their last branch, Kepler has 470
  (https://forums.developer.nvidia.com/t/unix-graphics-feature-deprecation-schedule/60588,
  https://forums.developer.nvidia.com/t/current-graphics-driver-releases/28500).
"""

import json
from typing import Literal, NamedTuple

from linkspan.check.eyes import Eyes
from linkspan.facts.host import glob

Modules = Literal["open", "either", "proprietary"]
"""The kernel modules that drive a GPU; of ``either`` the open ones are advised."""

LISTS = (
    "/usr/share/nvidia/supported-gpus/supported-gpus.json",
    "/usr/share/doc/nvidia-driver*/supported-gpus/supported-gpus.json",
    "/usr/share/doc/nvidia-driver*/supported-gpus.json",
)
"""Where packages put the driver's own list."""
OPEN_ADVISED_SINCE = 560


class Generation(NamedTuple):
    """A generation: the first branch that knows it, the last that does (0: the newest do)."""

    name: str
    first: int
    last: int
    modules: Modules


KEPLER = Generation("Kepler", 304, 470, "proprietary")
MAXWELL = Generation("Maxwell", 340, 580, "proprietary")
PASCAL = Generation("Pascal", 367, 580, "proprietary")
VOLTA = Generation("Volta", 384, 580, "proprietary")
TURING = Generation("Turing", 410, 0, "either")
AMPERE = Generation("Ampere", 450, 0, "either")
ADA = Generation("Ada", 525, 0, "either")
HOPPER = Generation("Hopper", 525, 0, "either")
MINING = Generation("Turing (CMP)", 450, 610, "proprietary")
GRACE_HOPPER = Generation("Grace Hopper", 535, 0, "open")
BLACKWELL = Generation("Blackwell", 570, 0, "open")
BLACKWELL_ULTRA = Generation("Blackwell Ultra", 580, 0, "open")
GB10 = Generation("Blackwell (GB10)", 580, 0, "open")
NEWER = Generation("newer than Blackwell", 580, 0, "open")
OLDER = Generation("older than Kepler", 0, 390, "proprietary")

_RANGES: tuple[tuple[int, int, Generation], ...] = (
    (0x0FC0, 0x103F, KEPLER),
    (0x1180, 0x11FF, KEPLER),
    (0x1280, 0x12BF, KEPLER),
    (0x1340, 0x143F, MAXWELL),
    (0x15C0, 0x15FF, PASCAL),
    (0x1600, 0x17FF, MAXWELL),
    (0x1B00, 0x1D7F, PASCAL),
    (0x1D80, 0x1DFF, VOLTA),
    (0x1E00, 0x1FFF, TURING),
    (0x2080, 0x20FF, AMPERE),
    (0x2180, 0x21FF, TURING),
    (0x2200, 0x22FF, AMPERE),
    (0x2340, 0x237F, GRACE_HOPPER),
    (0x2300, 0x233F, HOPPER),
    (0x2400, 0x25FF, AMPERE),
    (0x2680, 0x28FF, ADA),
    (0x2E00, 0x2E3F, GB10),
    (0x3180, 0x31FF, BLACKWELL_ULTRA),
    (0x2900, 0x2FFF, BLACKWELL),
)
_MINING = (0x1E09, 0x1F0B, 0x2189)
"""The CMP 50HX, 40HX and 30HX: Turing, but the driver's list gives them no open modules, and 620 has no others."""
_FIRST_UNKNOWN = 0x3000


class Product(NamedTuple):
    """A GPU: its generation, and its name where the host has a list that knows it."""

    generation: Generation
    name: str


def of(eyes: Eyes, device_id: str) -> Product:
    """The product of a PCI device id as sysfs has it (``0x2330``)."""
    number = int(device_id, 16) if device_id else 0
    generation = by_number(number)
    listed = _listed(eyes).get(number)
    if listed is None:
        return Product(generation, f"{generation.name} GPU (PCI id 10de:{number:04x})")
    name, features, legacy = listed
    if generation is NEWER and not legacy:
        generation = generation._replace(modules="open" if "kernelopen" in features else "proprietary")
    return Product(generation, name)


def by_number(number: int) -> Generation:
    """The generation of a device number; a number of no known chip is older than all, or newer."""
    if number in _MINING:
        return MINING
    for first, last, generation in _RANGES:
        if first <= number <= last:
            return generation
    return NEWER if number >= _FIRST_UNKNOWN else OLDER


def _listed(eyes: Eyes) -> dict[int, tuple[str, tuple[str, ...], str]]:
    """Device number to name, features and legacy branch, by the driver's own list where it is installed."""
    path = next((found for pattern in LISTS for found in glob(eyes, pattern)), "")
    try:
        chips = json.loads(eyes.text(path) or "{}").get("chips", []) if path else []
        return {
            int(chip["devid"], 16): (chip["name"], tuple(chip.get("features", ())), chip.get("legacybranch", ""))
            for chip in chips
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # a list that is cut off, or of another form, knows nothing
