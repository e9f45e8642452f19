"""What an image was built on: NVIDIA's base image by its variables, and the distribution by os-release."""

from typing import NamedTuple

from linkspan.image.model import Image

ENDED = {
    ("ubuntu", "14.04"): "April 2019", ("ubuntu", "16.04"): "April 2021", ("ubuntu", "18.04"): "May 2023",
    ("ubuntu", "20.04"): "May 2025", ("ubuntu", "22.10"): "July 2023", ("ubuntu", "23.04"): "January 2024",
    ("ubuntu", "23.10"): "July 2024", ("ubuntu", "24.10"): "July 2025", ("ubuntu", "25.04"): "January 2026",
    ("debian", "8"): "June 2020", ("debian", "9"): "June 2022", ("debian", "10"): "June 2024",
    ("debian", "11"): "August 2026", ("centos", "6"): "November 2020", ("centos", "7"): "June 2024",
    ("centos", "8"): "May 2024", ("rhel", "7"): "June 2024", ("ol", "7"): "December 2024",
    ("amzn", "1"): "December 2023", ("amzn", "2018.03"): "December 2023", ("amzn", "2"): "June 2026",
    ("mariner", "2.0"): "July 2025", ("opensuse-leap", "15.3"): "December 2022",
    ("opensuse-leap", "15.4"): "December 2023", ("opensuse-leap", "15.5"): "December 2024",
    ("opensuse-leap", "15.6"): "April 2026", ("fedora", "38"): "May 2024", ("fedora", "39"): "November 2024",
    ("fedora", "40"): "May 2025",
}  # fmt: skip
"""Releases whose free support is over, and since when, by the distributions' own calendars (Debian's with LTS)."""

NEWEST_POINT = {
    "11.4": 3, "11.5": 2, "11.6": 2, "11.7": 1, "11.8": 0, "12.0": 1, "12.1": 1, "12.2": 2, "12.3": 2, "12.4": 1,
    "12.5": 1, "12.6": 3, "12.8": 1, "12.9": 1, "13.0": 2,
}  # fmt: skip
"""The last point release of CUDA's minor ones that are complete: NVIDIA deletes the images of the others."""


class Release(NamedTuple):
    """A release of a distribution, as os-release names it: ``ubuntu``, ``22.04``, ``Ubuntu 22.04.4 LTS``."""

    id: str
    version: str
    title: str


def release(image: Image) -> Release:
    """The distribution of an image; empty words where os-release does not tell."""
    entries = (image.resolve(path) for path in ("/etc/os-release", "/usr/lib/os-release"))
    text = next((entry.text for entry in entries if entry and entry.text), "")
    lines = (line.partition("=") for line in text.splitlines())
    words = {name.strip(): value.strip().strip("\"'") for name, found, value in lines if found}
    return Release(words.get("ID", "").lower(), words.get("VERSION_ID", ""), words.get("PRETTY_NAME", ""))


def end_of_support(found: Release) -> str:
    """When the free support of a release ended; empty where it has not, or that is not known."""
    major = found.version.partition(".")[0]
    return ENDED.get((found.id, found.version)) or ENDED.get((found.id, major), "")


def is_nvidia_cuda(image: Image) -> bool:
    """True for an image that was built on one of NVIDIA's CUDA images, whose variables it inherits."""
    return any(name in image.config.variables for name in ("NVARCH", "NV_CUDA_CUDART_VERSION", "NV_CUDA_LIB_VERSION"))


def is_devel(image: Image) -> bool:
    """True for one that was built on the variant with compiler and headers."""
    env = image.config.variables
    marks = (
        "NV_CUDA_CUDART_DEV_VERSION",
        "NV_NVML_DEV_VERSION",
        "NV_LIBCUBLAS_DEV_VERSION",
        "NV_CUDA_NSIGHT_COMPUTE_VERSION",
    )
    return any(name in env for name in marks) or (is_nvidia_cuda(image) and "/stubs" in env.get("LIBRARY_PATH", ""))
