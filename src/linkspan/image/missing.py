"""How to get a library that is missing: the package that brings it, or the base image that has it."""

import re
from collections.abc import Collection

from linkspan.check.cuda_names import cuda_major
from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.cuda_tags import NEWEST
from linkspan.image.model import Image

_SONAME = re.compile(r"(?P<stem>lib.+)\.so\.(?P<number>[\d.]+)")
_OTHERS = {
    "libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0", "libgobject-2.0.so.0": "libglib2.0-0",
    "libgio-2.0.so.0": "libglib2.0-0", "libgomp.so.1.0.0": "libgomp1", "libcrypto.so.3": "libssl3",
    "libfontconfig.so.1": "libfontconfig1", "libmpi.so.40": "libopenmpi3", "libpython3.11.so.1.0": "libpython3.11",
    "libxcb-shape.so.0": "libxcb-shape0", "libsndfile.so.1": "libsndfile1", "libz.so.1": "zlib1g",
}  # fmt: skip
"""Libraries whose package in Debian and Ubuntu is not called after them."""
_OF_TORCH = re.compile(r"lib(torch\w*|c10\w*|shm)\.so")
_EXTRAS = dict.fromkeys(("cupy", "cupy_backends", "cupyx"), "cupy-cuda{major}x[ctk]")
"""Packages that bring CUDA with an extra, and find it there."""


def remedy(image: Image, names: Collection[str], package: str = "") -> str:
    """The line of a Dockerfile that brings these libraries to what needs them, a Python package or a program."""
    of_cuda = [name for name in names if is_of_cuda(name)]
    if any(map(_OF_TORCH.fullmatch, names)):
        return f"RUN pip install torch, in the version that {package or 'the program'} was built for"
    if of_cuda:
        return _with_cuda(of_cuda, package)
    if "opencv" in package or package == "cv2":
        return f"RUN pip uninstall -y opencv-python && pip install opencv-python-headless, or {_apt(names)}"
    if image.get("/var/lib/dpkg/status"):
        return f"RUN {_apt(names)}"
    return f"install the package that brings {', '.join(sorted(names)[:3])}, in the last stage of the build, too"


def _with_cuda(names: list[str], package: str) -> str:
    major = max(map(cuda_major, names), default=0) or 12
    newest = max((one for one in NEWEST.values() if one.startswith(f"{major}.")), default="")
    variant = "cudnn-runtime" if any("cudnn" in name for name in names) else "runtime"
    base = f"FROM nvidia/cuda:{newest}-{variant}-…" if newest else f"a runtime image of CUDA {major}"
    extra = _EXTRAS.get(package, "").format(major=major)
    return f"RUN pip install '{extra}', or {base}" if extra else f"{base} for the last stage"


def _apt(names: Collection[str]) -> str:
    packages = " ".join(sorted({debian(name) for name in names}))
    return f"apt-get update && apt-get install -y --no-install-recommends {packages}"


def debian(soname: str) -> str:
    """The package of a library in Debian and Ubuntu, by their policy on the names of libraries' packages."""
    found = _SONAME.fullmatch(soname)
    if soname in _OTHERS or not found:
        return _OTHERS.get(soname, soname)
    stem = found["stem"].lower().replace("_", "-")
    return f"{stem}{'-' if stem[-1].isdigit() else ''}{found['number']}"
