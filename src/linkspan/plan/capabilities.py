"""Driver capabilities: what ``NVIDIA_DRIVER_CAPABILITIES`` may say, and which files and nodes each of them brings.

The tables are those of nvidia-container-cli (contract 4.4), extended by the files that only the CDI side of the toolkit
knows (contract 5.3). A file that no table names belongs to every capability but ``utility`` alone: a new driver's
library is rather mounted in vain than missed, and ``utility`` stays what it says.
"""

from collections.abc import Collection, Iterable

from linkspan.errors import RequestError
from linkspan.plan.model import CAPABILITIES, Capability, DeviceRequest, Policy
from linkspan.plan.wording import quoted

Owners = frozenset[Capability]

VARIABLE = "NVIDIA_DRIVER_CAPABILITIES"

ALWAYS: Owners = frozenset(CAPABILITIES)
DEFAULT: Owners = ALWAYS - {"compat32"}
"""What the toolkit's default mode and its specs bring: all but 32-bit libraries, which only ``compat32`` asks for."""
_OTHERS: Owners = DEFAULT - {"utility"}
_UTILITY: Owners = frozenset({"utility"})
_NGX: Owners = frozenset({"ngx"})
_VIDEO: Owners = frozenset({"video"})
_COMPUTE_PROGRAM: Owners = frozenset({"compute"})
_COMPUTE: Owners = frozenset({"compute", "video"})
"""``video`` brings compute's libraries, nodes and sockets, since NVENC and NVDEC work through CUDA; no programs."""
_GRAPHICS: Owners = frozenset({"graphics", "display"})

_TABLE: tuple[tuple[Owners, str], ...] = (
    (_UTILITY, "libnvidia-ml libnvidia-ml_loader libnvidia-cfg libnvidia-nscq libnvidia-sandboxutils"),
    (_UTILITY, "nvidia-smi nvidia-debugdump nvidia-persistenced nv-fabricmanager"),
    (_UTILITY, "nvidia-persistenced/socket nvidia-fabricmanager/socket"),
    (_COMPUTE, "libcuda libcuda_loader libcudadebugger libnvidia-opencl libnvidia-gpucomp libnvidia-ptxjitcompiler"),
    (_COMPUTE, "libnvidia-fatbinaryloader libnvidia-allocator libnvidia-compiler libnvidia-pkcs11 libnvidia-tileiras"),
    (_COMPUTE, "libnvidia-pkcs11-openssl3 libnvidia-nvvm libnvidia-nvvm70"),
    (_COMPUTE, "nvidia.icd nvidia-mps /dev/nvidia-uvm /dev/nvidia-uvm-tools"),
    (_COMPUTE_PROGRAM, "nvidia-cuda-mps-control nvidia-cuda-mps-server"),
    (_VIDEO, "libvdpau_nvidia libnvidia-encode libnvidia-opticalflow libnvcuvid"),
    (_GRAPHICS, "libnvidia-eglcore libnvidia-glcore libnvidia-tls libnvidia-glsi libnvidia-fbc libnvidia-ifr"),
    (_GRAPHICS, "libnvidia-rtcore libnvoptix libGLX_nvidia libEGL_nvidia libGLESv2_nvidia libGLESv1_CM_nvidia"),
    (_GRAPHICS, "libnvidia-glvkspirv libnvidia-cbl libnvidia-vulkan-producer libnvidia-vksc-core"),
    (_GRAPHICS, "libnvidia-egl-gbm libnvidia-egl-wayland libnvidia-egl-wayland2 libnvidia-egl-xcb libnvidia-egl-xlib"),
    (_GRAPHICS, "libEGL libGL libGLESv1_CM libGLESv2 libGLX libGLX_indirect libGLdispatch libOpenGL nvidia-drm_gbm"),
    # The windows and the Wayland client of nvidia-settings.
    (_GRAPHICS, "libnvidia-gtk2 libnvidia-gtk3 libnvidia-wayland-client"),
    (_GRAPHICS, "nvidia_drv libglxserver_nvidia nvidia-xconfig /dev/nvidia-modeset"),
    # Shared by both worlds: gbm/nvidia-drm_gbm.so is a link to the allocator, and glcore loads gpucomp.
    (_GRAPHICS, "libnvidia-allocator libnvidia-gpucomp"),
    (_NGX, "libnvidia-ngx"),
    # The door to the GPU under WSL2, which libnvidia-ml goes through as well.
    (ALWAYS, "libdxcore"),
)

_FOLDERS: tuple[tuple[str, Owners], ...] = (
    ("/dev/dri/", _GRAPHICS),
    ("/dev/", ALWAYS),
    ("/etc/vulkan/", _GRAPHICS),
    ("/usr/share/X11/", _GRAPHICS),
    ("/usr/share/egl/", _GRAPHICS),
    ("/usr/share/glvnd/", _GRAPHICS),
    ("/usr/share/nvidia/", _GRAPHICS),
)


def _index(table: Iterable[tuple[Owners, str]]) -> dict[str, Owners]:
    index: dict[str, Owners] = {}
    for owners, names in table:
        for name in names.split():
            index[name] = index.get(name, frozenset()) | owners
    return index


_OWNERS = _index(_TABLE)


def owners(path: str, unknown: Owners = _OTHERS) -> Owners:
    """The capabilities that bring what stands at this path of a container, be it file, socket or device node.

    ``unknown`` are those of a file that no table names.
    """
    folder, _, name = path.rpartition("/")
    socket = f"{folder.rpartition('/')[2]}/{name}"
    for key in (path, socket, name, name.partition(".so")[0]):
        if key in _OWNERS:
            return _OWNERS[key]
    if "/firmware/" in path:  # the GSP firmware, wherever the kernel looks for it
        return ALWAYS
    return next((owned for prefix, owned in _FOLDERS if path.startswith(prefix)), unknown)


def admits(path: str, granted: Collection[Capability], unknown: Owners = _OTHERS) -> bool:
    """True where any of the granted capabilities brings what stands at this path of a container."""
    return not owners(path, unknown).isdisjoint(granted)


def granted(request: DeviceRequest, policy: Policy) -> Owners:
    """What a request gets: what it named, else all that the configuration supports.

    Only who names ``compat32`` (or ``all``) gets 32-bit libraries.
    """
    if request.capabilities is not None:
        return frozenset(request.capabilities)
    return DEFAULT.intersection(policy.supported_capabilities)


def read_capabilities(text: str, supported: Collection[Capability]) -> tuple[Capability, ...] | None:
    """The value of the variable: its capabilities in fixed order, None where it names none (contract 3.3).

    Raises RequestError on a name that there is not, and on one that the configuration does not support.
    """
    named = {item.strip() for item in text.split(",")} - {""}
    _refuse(
        named - ALWAYS - {"all"}, "does not exist", f"the driver capabilities are {', '.join(CAPABILITIES)} and all"
    )
    if "all" in named:
        named = set(supported)
    _refuse(
        named - set(supported),
        "is not supported by the configuration",
        f"supported-driver-capabilities allows {', '.join(sorted(supported)) or 'none'}",
    )
    return tuple(item for item in CAPABILITIES if item in named) or None


def hook_default(supported: Collection[Capability], *, legacy_image: bool) -> tuple[Capability, ...]:
    """What the toolkit's hook, and so mode legacy, grants where nothing is named (contract 3.3)."""
    wanted: tuple[Capability, ...] = CAPABILITIES if legacy_image else ("compute", "utility")
    return tuple(item for item in wanted if item in supported)


def _refuse(names: Collection[str], fault: str, hint: str) -> None:
    if names:
        shown = ", ".join(quoted(name) for name in sorted(names))
        raise RequestError(f"{VARIABLE} asks for {shown}, which {fault}", hint=hint, subject=VARIABLE)
