"""NVIDIA's real driver files, from Debian's packages, unpacked as a driver root at test time; never committed.

Two ways to lay them out, as hosts have them: ``installer``, all libraries in the system's own library folder, as
NVIDIA's own installer does; ``debian``, in ``nvidia/current`` behind two symlinks through ``/etc/alternatives``.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Literal

from linkspan.sim.create import create
from linkspan.sim.spec import SimSpec
from tests import debian, mounts

Series = Literal["535", "550"]
Layout = Literal["installer", "debian"]

SUITE: dict[Series, str] = {"535": "bookworm", "550": "trixie"}
"""The Debian release whose non-free component carries a driver series under the plain package names."""

# Everything the toolkit mounts, but for libnvoptix1: 130 MB to download for one library of "graphics".
PACKAGES = (
    "libcuda1",
    "libcudadebugger1",
    "libegl-nvidia0",
    "libgles-nvidia1",
    "libgles-nvidia2",
    "libglx-nvidia0",
    "libnvcuvid1",
    "libnvidia-allocator1",
    "libnvidia-api1",
    "libnvidia-cfg1",
    "libnvidia-eglcore",
    "libnvidia-encode1",
    "libnvidia-fbc1",
    "libnvidia-glcore",
    "libnvidia-glvkspirv",
    "libnvidia-ml1",
    "libnvidia-ngx1",
    "libnvidia-nvvm4",
    "libnvidia-opticalflow1",
    "libnvidia-pkcs11-openssl3",
    "libnvidia-ptxjitcompiler1",
    "libnvidia-rtcore",
    "nvidia-cuda-mps",
    "nvidia-egl-common",
    "nvidia-egl-icd",
    "nvidia-driver-bin",
    "nvidia-modprobe",
    "nvidia-opencl-common",
    "nvidia-opencl-icd",
    "nvidia-persistenced",
    "nvidia-smi",
    "nvidia-vdpau-driver",
    "nvidia-vulkan-common",
    "nvidia-vulkan-icd",
)

LIBRARIES = "usr/lib/x86_64-linux-gnu"
PROGRAMS = "usr/lib/nvidia/current"


def driver_root(series: Series, layout: Layout = "installer") -> str:
    """The cached root of a driver series, to be read only (mount an overlay on it to change it)."""

    def build(folder: str) -> None:
        with debian.archive(SUITE[series], "contrib", "non-free") as archive:
            archive.unpack(PACKAGES, folder)
        shutil.rmtree(f"{folder}/usr/share/doc", ignore_errors=True)
        shutil.rmtree(f"{folder}/usr/share/bug", ignore_errors=True)
        _LAYOUTS[layout](folder)
        _write_loader_cache(folder)

    return debian.cached(f"driver-{series}-{layout}", (SUITE[series], PACKAGES, 2), build)


@contextlib.contextmanager
def gpu_host(series: Series, spec: SimSpec, layout: Layout = "installer") -> Iterator[str]:
    """The root of a host with the real driver files of a series and simulated GPUs; gone afterwards.

    All is real but NVML, which shows the GPUs whose device nodes can be opened where it runs.
    """
    with mounts.overlay(driver_root(series, layout)) as root:
        create(root, spec, onto=True)
        yield root


def version_of(root: str) -> str:
    """The driver version that a root's libcuda carries in its name."""
    for folder in (LIBRARIES, f"{LIBRARIES}/nvidia/current"):
        for name in os.listdir(f"{root}/{folder}"):
            if name.startswith("libcuda.so.") and name != "libcuda.so.1":
                return name.removeprefix("libcuda.so.")
    raise debian.UnavailableError(f"no libcuda is below {root}")


def _as_installer(root: str) -> None:
    current = f"{root}/{LIBRARIES}/nvidia/current"
    os.makedirs(f"{root}/{LIBRARIES}/vdpau")
    for name in os.listdir(current):
        if not os.path.isdir(f"{current}/{name}"):
            folder = "vdpau/" if "vdpau" in name else ""
            os.rename(f"{current}/{name}", f"{root}/{LIBRARIES}/{folder}{name}")
    for name in ("nvidia-smi", "nvidia-debugdump"):
        os.rename(f"{root}/{PROGRAMS}/{name}", f"{root}/usr/bin/{name}")
    os.rename(f"{root}/usr/sbin/nvidia-cuda-mps-server", f"{root}/usr/bin/nvidia-cuda-mps-server")
    shutil.rmtree(f"{root}/{LIBRARIES}/nvidia")
    shutil.rmtree(f"{root}/usr/lib/nvidia")


def _as_debian(root: str) -> None:
    """The links of Debian's nvidia-alternative package (its postinst says which and how they are named)."""
    current = f"{root}/{LIBRARIES}/nvidia/current"
    for name in os.listdir(current):
        if ".so" in name and not name.endswith(f".{version_of(root)}"):
            folder = f"{LIBRARIES}/vdpau" if "vdpau" in name else LIBRARIES
            _alternative(
                root, f"{folder}/{name}", f"nvidia--{name}-x86_64-linux-gnu", f"{LIBRARIES}/nvidia/current/{name}"
            )
    for name in ("nvidia-smi", "nvidia-debugdump"):
        _alternative(root, f"usr/bin/{name}", f"nvidia--{name}", f"{PROGRAMS}/{name}")


def _alternative(root: str, link: str, name: str, target: str) -> None:
    os.makedirs(f"{root}/etc/alternatives", exist_ok=True)
    os.makedirs(os.path.dirname(f"{root}/{link}"), exist_ok=True)
    os.symlink(f"/{target}", f"{root}/etc/alternatives/{name}")
    os.symlink(f"/etc/alternatives/{name}", f"{root}/{link}")


_LAYOUTS = {"installer": _as_installer, "debian": _as_debian}


def _write_loader_cache(root: str) -> None:
    os.makedirs(f"{root}/etc", exist_ok=True)
    with open(f"{root}/etc/ld.so.conf", "w", encoding="ascii") as file:
        file.write(f"/{LIBRARIES}\n/{LIBRARIES}/vdpau\n")
    done = subprocess.run(["/sbin/ldconfig", "-r", root], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise debian.UnavailableError(f"ldconfig failed on the unpacked driver: {done.stderr.strip()}")
