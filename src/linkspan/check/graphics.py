"""What a container wants of graphics, and what it has: capabilities, the loaders of GLVND and Vulkan, vendor files."""

from linkspan.check.containers import Container
from linkspan.check.inside import FOLDERS, Inside
from linkspan.check.model import Severity

CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES"
VENDOR_FILES = (
    "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
    "/etc/glvnd/egl_vendor.d/10_nvidia.json",
    "/usr/share/vulkan/icd.d/nvidia_icd.json",
    "/etc/vulkan/icd.d/nvidia_icd.json",
    "/usr/share/vulkan/icd.d/nvidia_icd.x86_64.json",
    "/usr/share/vulkan/icd.d/nvidia_icd.aarch64.json",
)
"""By which EGL and Vulkan learn that there is an NVIDIA driver."""
_LOADERS = ("libvulkan.so.1", "libEGL.so.1", "libGLX.so.0")


def capabilities(container: Container) -> frozenset[str]:
    """What the container's variable names, in lower case; empty where it names nothing."""
    words = container.env.get(CAPABILITIES, "").lower().split(",")
    return frozenset(word.strip() for word in words if word.strip())


def grants_graphics(container: Container) -> bool:
    """True where graphics were asked for, by name or with all."""
    return bool(capabilities(container) & {"all", "graphics", "display"})


def severity(container: Container) -> Severity:
    """An error where graphics were asked for by name; who says all may have wanted something else."""
    return "error" if capabilities(container) & {"graphics", "display"} else "warning"


def loader(inside: Inside) -> str:
    """A library through which the image's programs draw, empty where it has none: such an image does not draw."""
    root = inside.container.root
    return next((path for name in _LOADERS for folder in FOLDERS[:8] if root.exists(path := f"{folder}/{name}")), "")


def uses_graphics(inside: Inside) -> bool:
    """True where the container was given graphics, and its image has what uses them."""
    return grants_graphics(inside.container) and bool(loader(inside))
