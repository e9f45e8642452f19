"""Which driver runs which CUDA, and which GPU which code: NVIDIA's compatibility tables, as far as rules need them."""

import re

from linkspan.formats import versions

_CUDA_OF_BRANCH = {
    418: "10.1", 440: "10.2", 450: "11.0", 455: "11.1", 460: "11.2", 465: "11.3", 470: "11.4", 495: "11.5",
    510: "11.6", 515: "11.7", 520: "11.8", 525: "12.0", 530: "12.1", 535: "12.2", 545: "12.3", 550: "12.4",
    555: "12.5", 560: "12.6", 565: "12.7", 570: "12.8", 575: "12.9", 580: "13.0", 590: "13.1", 595: "13.2",
    610: "13.3", 615: "13.4", 620: "13.5",
}  # fmt: skip
"""Driver branch to the newest CUDA that it can run, by NVIDIA's CUDA release notes."""
_FAMILIES = {10: "410.48", 11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
"""CUDA's major version to the oldest driver that runs programs of it (minor version compatibility; exact up to 10)."""
_BY_PREFIX = {
    "1e": (7, 5), "1f": (7, 5), "21": (7, 5), "20": (8, 0), "22": (8, 6), "24": (8, 6), "25": (8, 6), "23": (9, 0),
    "26": (8, 9), "27": (8, 9), "28": (8, 9), "29": (10, 0), "31": (10, 3), "2b": (12, 0), "2c": (12, 0),
    "2d": (12, 0), "2f": (12, 0), "2e": (12, 1), "1b": (6, 1), "1c": (6, 1),
}  # fmt: skip
"""How NVIDIA's PCI ids begin, to the compute capability (its driver's README lists them all)."""
_DATA_CENTRE = re.compile(
    r"\b(Tesla|GRID|[AHBLVPTKM]\d{1,3}[GSX]?|G[HB]\d{3}|PG\d{3})\b(?!.*(GeForce|RTX|Quadro|TITAN))", re.IGNORECASE
)
_CONSUMER = re.compile(r"GeForce|TITAN|RTX|GTX|Quadro", re.IGNORECASE)


def cuda_of(driver: str) -> str:
    """The newest CUDA that a driver runs, ``12.4``; empty where its branch is not known."""
    branch = (versions.parse(driver) or (0,))[0]
    known = max((one for one in _CUDA_OF_BRANCH if one <= branch), default=0)
    return _CUDA_OF_BRANCH.get(known, "") if branch <= max(_CUDA_OF_BRANCH) else ""


def at_least(driver: str) -> str:
    """A CUDA that a driver surely runs: its own, or for a driver newer than all known here the newest that is known.

    A driver runs what older ones ran. Empty where the driver is none, or older than all known here.
    """
    branch = (versions.parse(driver) or (0,))[0]
    return cuda_of(driver) or (_CUDA_OF_BRANCH[max(_CUDA_OF_BRANCH)] if branch > max(_CUDA_OF_BRANCH) else "")


def whole(driver: str) -> str:
    """A driver to compare with others: a branch alone stands for its newest, ``525`` is no older than 525.60.13."""
    return driver if "." in driver else f"{driver}.999"


def needed_driver(cuda: str) -> str:
    """The oldest driver that starts programs of this CUDA, empty where that is not known."""
    return _FAMILIES.get((versions.parse(cuda) or (0,))[0], "")


def driver_for(cuda: str) -> str:
    """The oldest branch that knows all of a CUDA version, ``570``; empty where none is known."""
    wanted = (versions.parse(cuda) or ())[:2]
    fitting = (branch for branch, known in _CUDA_OF_BRANCH.items() if (versions.parse(known) or ()) >= wanted)
    return str(next(fitting, "")) if wanted else ""


def older(left: str, right: str) -> bool:
    """True where the left version is older than the right one; False where either is no version."""
    first, second = versions.parse(left), versions.parse(right)
    return first is not None and second is not None and versions.compare(first, second) < 0


def compute_capability(device_id: str) -> tuple[int, int] | None:
    """The compute capability of a GPU, by its PCI id (``0x2330``); None where it is not known."""
    digits = device_id.removeprefix("0x").lower()
    if digits[:2] == "1d":
        return (7, 0) if "1d81" <= digits <= "1dff" else (6, 1) if digits <= "1d56" else None
    if digits[:2] == "15":
        return (6, 0) if digits >= "15f0" else None
    return _BY_PREFIX.get(digits[:2])


def is_consumer(name: str) -> bool:
    """True for a GPU that CUDA's compatibility libraries refuse: GeForce, TITAN, Quadro and RTX cards."""
    return bool(_CONSUMER.search(name))


def is_data_centre(name: str) -> bool:
    """True for a GPU that CUDA's compatibility libraries are made for."""
    return bool(_DATA_CENTRE.search(name)) and not is_consumer(name)
