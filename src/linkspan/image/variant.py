"""Which variant of nvidia/cuda is enough for an image, by what its programs link to, and which one it has."""

import re
from collections.abc import Iterator
from typing import Literal

from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image import cuda_tags
from linkspan.image.cuda_libraries import is_core
from linkspan.image.model import Image
from linkspan.image.stack import stack
from linkspan.image.wants import Link, Wants, is_packaged, kinds

Variant = Literal["none", "base", "runtime", "cudnn-runtime", "devel", "cudnn-devel"]

_NO_CUDNN = frozenset({"12.2.0", "12.3.0", "12.3.1", "12.4.0", "12.5.0", "13.1.0"})
_NO_CUDNN_OS = ("amzn", "cm", "azl")
"""Versions and systems of which nvidia/cuda has no variant with cuDNN (its own lists of tags)."""
_SYSTEMS = {"rhel": "ubi", "rocky": "rockylinux", "ol": "oraclelinux", "azurelinux": "azl", "opensuse-leap": "opensuse"}
_EXAMPLES = 3


class Choice(Model, frozen=True, kw_only=True, omit_defaults=False):
    """What is enough and why, what there is, and the image to begin with, as far as its name can be told.

    ``plain``: not even CUDA's base is needed, since nothing uses the toolkit's libraries; any small system image does.
    ``packages`` are to be installed beside the base, ``environment`` are the variables that a plain image needs.
    """

    enough: Variant
    has: Variant
    plain: bool = False
    image: str = ""
    packages: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def choose(image: Image, wants: Wants) -> Choice:
    """The smallest variant that holds what the programs want."""
    wanted = kinds(link for link in wants.links if not link.is_packaged)
    opened = {} if wants.packaged else wants.opening
    enough = _enough(wanted, set(opened.values()))
    plain = enough == "base" and "cudart" not in wanted and not wants.compiling
    return Choice(
        enough=enough,
        has=present(image),
        plain=plain,
        image=tag(image, enough),
        packages=tuple(_packages(image, wants)),
        environment=("NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility") if plain else (),
        reasons=tuple(_reasons(wanted, opened, wants)),
    )


def _enough(wanted: dict[str, list[Link]], opened: set[str]) -> Variant:
    if any(link.library.startswith("libcudnn") for link in wanted.get("cudnn", ())) or "cudnn" in opened:
        return "cudnn-runtime"
    return "runtime" if "cudnn" in wanted or "cuda" in wanted or "cuda" in opened else "base"


def _reasons(wanted: dict[str, list[Link]], opened: dict[str, str], wants: Wants) -> Iterator[str]:
    for link in _examples(wanted):
        lacking = "" if link.provider else ", which the image does not have"
        yield f"{link.program.path} links to {link.library}{lacking}"
    for name, most in opened.items():
        libraries = "CUDA's libraries and cuDNN" if most == "cudnn" else "CUDA's libraries"
        yield f"the package {name} opens {libraries} by name"
    if wants.packaged:
        example = next((one for one in wants.packaged if is_core(one.name)), wants.packaged[0])
        yield f"CUDA's libraries came with what uses them, as {example.path}, so that no toolkit is needed"
    for name in wants.compiling:
        yield f"the package {name} compiles for the GPU when it runs"
    if not wanted and not opened and not wants.packaged:
        yield from _nothing(wants)


def _nothing(wants: Wants) -> Iterator[str]:
    if wants.holds_gpu_code:
        first = wants.holds_gpu_code[0].path
        yield f"{first} holds code for GPUs and has CUDA's runtime in itself"
    else:
        yield "no program links to CUDA's libraries; what a program opens by name cannot be seen"


def _examples(wanted: dict[str, list[Link]]) -> list[Link]:
    """A few links of each kind, those that ask for most first."""
    ordered = [sorted(wanted.get(kind, ()), key=lambda one: one.program.path) for kind in ("cudnn", "cuda", "cudart")]
    first = {link.library: link for links in ordered for link in reversed(links)}
    return sorted(first.values(), key=lambda one: one.library)[: 3 * _EXAMPLES]


def _packages(image: Image, wants: Wants) -> Iterator[str]:
    """What is to be installed on top, by the names of NVIDIA's repositories."""
    release = "-".join(_release(image).split(".")[:2]) or "X-Y"
    if wants.compiling:
        yield from (f"cuda-nvcc-{release}", f"cuda-cudart-dev-{release}", f"cuda-nvrtc-{release}", "g++")
    elif "triton" in wants.packages:
        yield from ("gcc", "libc6-dev")


def cuda_version(image: Image) -> str:
    """The toolkit's version, by the variable that nvidia/cuda sets; empty where it is not set, or is no version."""
    version = image.config.variables.get("CUDA_VERSION", "")
    return version if len(versions.parse(version) or ()) >= 2 else ""


def _release(image: Image) -> str:
    """The same, else by its libraries: they tell the minor version, of which nvidia/cuda keeps the newest."""
    minor = stack(image).called
    return cuda_version(image) or cuda_tags.NEWEST.get(minor, minor)


def present(image: Image) -> Variant:
    """The variant that an image is made of, by what is in it, not by what it calls itself."""
    names = image.by_name
    cudnn = any(name.startswith("libcudnn.so") and _of_system(image, name) for name in names)
    if any("/cuda" in entry.path for entry in names.get("nvcc", ())):
        return "cudnn-devel" if cudnn else "devel"
    if cudnn:
        return "cudnn-runtime"
    if any(name.startswith("libcublas.so.") and _of_system(image, name) for name in names):
        return "runtime"
    return "base" if any(name.startswith("libcudart.so.") and _of_system(image, name) for name in names) else "none"


def _of_system(image: Image, name: str) -> bool:
    return any(not is_packaged(entry) for entry in image.by_name[name])


def tag(image: Image, variant: Variant) -> str:
    """The name of a variant for this version of CUDA and this system; empty where either is not known."""
    version, system = _release(image), _system(image)
    if len(versions.parse(version) or ()) != 3 or not system:
        return ""
    if variant.startswith("cudnn"):
        if version in _NO_CUDNN or system.startswith(_NO_CUDNN_OS):
            return ""
        variant_ = variant.replace("cudnn", _cudnn(version), 1)
        return f"nvidia/cuda:{version}-{variant_}-{system}"
    return f"nvidia/cuda:{version}-{variant}-{system}"


def _cudnn(version: str) -> str:
    """How tags of a CUDA version call cuDNN."""
    numbers = versions.parse(version) or ()
    return "cudnn8" if numbers <= (12, 2, 2) else "cudnn9" if numbers < (12, 4, 1) else "cudnn"


def _system(image: Image) -> str:
    """The system as nvidia/cuda's tags call it: ``ubuntu22.04``, ``ubi9``."""
    entry = image.resolve("/etc/os-release") or image.get("/usr/lib/os-release")
    release = dict(re.findall(r"^(ID|VERSION_ID)=\"?([\w.-]+)\"?$", (entry.text if entry else "") or "", re.MULTILINE))
    name, version = release.get("ID", ""), release.get("VERSION_ID", "")
    if name == "ubuntu":
        return f"ubuntu{version}"
    known = {*_SYSTEMS, "amzn", "centos"}
    return f"{_SYSTEMS.get(name, name)}{version.partition('.')[0]}" if name in known and version else ""
