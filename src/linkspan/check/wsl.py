"""WSL2 guests: what tells one, and where Windows puts its driver."""

from linkspan.check.scene import Scene

DEVICE = "/dev/dxg"
STORE = "/usr/lib/wsl/drivers"
VERSION = "/proc/version"


def kernel(scene: Scene) -> str:
    """The kernel's own words where it is one of Microsoft's, else empty."""
    line = scene.line(VERSION)
    return line if "microsoft" in line.lower() else ""


def is_first(words: str) -> bool:
    """True for WSL1, which is no Linux kernel: it calls itself 4.4.0-NUMBER-Microsoft."""
    return "-Microsoft" in words and "WSL2" not in words
