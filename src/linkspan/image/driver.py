"""What of an image is the driver's: libraries by name or by what they say of themselves, programs, packages.

A stub to link against and the compatibility package bear the same names, and are the image's by right.
"""

import re

from linkspan.check.inside import is_driver_name
from linkspan.check.pieces import STUB_BYTES, part_by_name
from linkspan.image.model import Entry

_COMPAT = re.compile(r"/(cuda[^/]*/compat|cuda-compat)/")
_STUBBED = re.compile(r"lib(cuda|nvidia-ml)\.so(\.1)?")
_LIBRARY = re.compile(r"lib.+\.so(\.\d+)*")
_PLUGINS = frozenset({"nvidia_drv.so", "nvidia-drm_gbm.so", "libdxcore.so", "libd3d12.so", "libd3d12core.so"})
"""What X, GBM and WSL load by its name: parts of a driver without its version in them."""
_CONFIGURATION = re.compile(r"(nvidia_icd.*|\d\d_nvidia.*|nvidia_layers)\.json|nvidia\.icd|nvoptix\.bin|gsp_.*\.bin")
_OTHERS = re.compile(r"libnvidia-(container|egl-)")
"""The toolkit's own library, and the platform libraries of EGL, which are free and in every distribution."""

PROGRAMS = frozenset(
    {
        *("nvidia-smi", "nvidia-debugdump", "nvidia-persistenced", "nvidia-cuda-mps-control", "nvidia-cuda-mps-server"),
        *(
            "nvidia-modprobe",
            "nvidia-settings",
            "nvidia-xconfig",
            "nvidia-powerd",
            "nvidia-ngx-updater",
            "nv-fabricmanager",
        ),
        *(
            "nvidia-imex",
            "nvidia-imex-ctl",
            "nvidia-installer",
            "nvidia-uninstall",
            "nvidia-bug-report.sh",
            "nvidia-sleep.sh",
        ),
    }
)
"""What comes with a driver; the data centre's fabric manager and IMEX have the driver's version, too."""

PACKAGES = re.compile(
    r"libcuda(1(-.*)?)?|libcudadebugger1|libnvcuvid1|libnvoptix1|libnvsdm(-.*)?"
    r"|libnvidia-(ml1?|cfg1?|ptxjitcompiler1|nvvm.*|encode1?|opticalflow1|fbc1?|ngx1|allocator1|gpucomp|glcore|eglcore"
    r"|glvkspirv|rtcore|tls|glsi|pkcs11.*|api1|sandboxutils|compute|gl|decode|nscq)(-\d+.*)?"
    r"|libnvidia-(compute|decode|encode|gl|cfg1|fbc1|extra|common|ifr1|nscq)-\d+.*"
    r"|libnvidia-(tesla|legacy)-.*"
    r"|lib(gl|glx|egl|gles)\d?-nvidia.*|libnvidia-(cbl|compiler|ifr1)|glx-alternative-nvidia|bumblebee-nvidia|primus(-vk)?-nvidia"
    r"|nvidia-(tesla-|legacy-)?(\d+(xx)?-)?(driver|kernel|open-kernel|dkms|headless|utils|compute-utils|firmware|smi"
    r"|persistenced|modprobe|settings|xconfig|powerd|alternative|vdpau-driver|suspend-common|cuda-mps|fabricmanager|imex|kmod"
    r"|opencl-icd|vulkan-icd|egl-icd|nonglvnd-vulkan-icd|fs-dkms|legacy-check|installer-cleanup|libXNVCtrl|lts|open)(-.*)?"
    r"|nvidia-(compute|compute-utils|common|driver|drivers|gl|open-driver|utils|video)-G0\d.*|nvidia-(compute|gfx|gl|video)G0\d.*"
    r"|linux-(modules|objects|signatures)-nvidia-.*|firmware-nvidia-.*|xserver-xorg-video-nvidia.*"
    r"|cuda-drivers(-.*)?|k?mod-nvidia.*|akmod-nvidia.*|dkms-nvidia|xorg-x11-(drv-)?nvidia.*|nvidia-fabric-manager.*|x11-video-nvidia.*"
)
"""Packages of the driver in Debian, Ubuntu, Fedora, SUSE and NVIDIA's repositories, by their whole names."""


def is_stub(entry: Entry) -> bool:
    """True for a library that is only there to link against, wherever it stands."""
    small = 0 < entry.size < STUB_BYTES and entry.elf is not None and bool(_STUBBED.fullmatch(entry.elf.soname))
    return "/stubs/" in entry.path or small


def is_compat(entry: Entry) -> bool:
    """True for a file of CUDA's compatibility package."""
    return bool(_COMPAT.search(entry.path))


def is_driver_path(path: str) -> bool:
    """True where only a driver's library has such a name."""
    name = path.rpartition("/")[2]
    if name in _PLUGINS:
        return True
    if not _LIBRARY.fullmatch(name) or _OTHERS.match(name):
        return False
    return is_driver_name(name) or part_by_name(path) in ("driver", "libcuda")


def is_library(entry: Entry) -> bool:
    """True for a library of a real driver: by its name, or under another one by its own (DT_SONAME)."""
    if entry.kind != "file" or not entry.size or is_stub(entry) or is_compat(entry):
        return False
    return is_driver_path(entry.path) or (entry.elf is not None and is_driver_name(entry.elf.soname))


def is_mounted(path: str) -> bool:
    """True for a file by whose name EGL, Vulkan, OpenCL or the kernel find a driver: a start mounts it, too."""
    return bool(_CONFIGURATION.fullmatch(path.rpartition("/")[2]))


def is_program(entry: Entry) -> bool:
    """True for a program of the driver; a folder, a completion or a page of the manual only bears its name."""
    runs = entry.kind == "file" and entry.size > 0 and bool(entry.mode & 0o111) and "/completions/" not in entry.path
    # A script of that name is somebody's wrapper, or pip's; the driver's own scripts end in .sh.
    is_script = entry.head.startswith(b"#!") and not entry.name.endswith(".sh")
    return runs and entry.name in PROGRAMS and not is_script
