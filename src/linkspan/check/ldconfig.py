"""The ldconfig that NVIDIA's toolkit is told to run, what the host has of it, and the driver in the loader cache."""

from linkspan.check.eyes import Eyes
from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.host import HostReader
from linkspan.formats import ldcache

PLACES = ("/sbin/ldconfig", "/usr/sbin/ldconfig", "/sbin/ldconfig.real", "/usr/sbin/ldconfig.real", "/usr/bin/ldconfig")
CACHE = "/etc/ld.so.cache"
DEFAULT = "@/sbin/ldconfig"
_OF_THE_DRIVER = ("libcuda.so", "libnvidia-", "libnvcuvid", "libEGL_nvidia", "libGLX_nvidia")
_OTHERS = ("libnvidia-container",)
_LIMIT = 16 << 20


def told(scene: Scene) -> str:
    """The setting as it stands; its ``@`` means the host's program."""
    return scene.toolkit.nvidia_container_cli.ldconfig


def present(scene: Scene) -> list[str]:
    """Where the host has an ldconfig."""
    return [place for place in PLACES if scene.eyes.exists(place)]


def cached(eyes: Eyes) -> list[str]:
    """The files of the driver that the host's loader cache names."""
    none: list[str] = []
    return eyes.derive("driver in the loader cache", CACHE, _driver_files, none)


def _driver_files(host: HostReader, path: str) -> list[str]:
    try:
        entries = ldcache.parse(host.read(path, 0, _LIMIT) or b"")
    except FormatError:
        return []
    return [place for name, place, *_ in entries if name.startswith(_OF_THE_DRIVER) and not name.startswith(_OTHERS)]
