"""The ldconfig that NVIDIA's toolkit is told to run, what the host has of it, and the driver in the loader cache."""

import re
import tomllib

from linkspan.check.eyes import Eyes
from linkspan.check.model import Remedy, WriteFile
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.errors import FormatError
from linkspan.facts.host import HostReader
from linkspan.formats import ldcache

PLACES = ("/sbin/ldconfig", "/usr/sbin/ldconfig", "/sbin/ldconfig.real", "/usr/sbin/ldconfig.real", "/usr/bin/ldconfig")
CACHE = "/etc/ld.so.cache"
DEFAULT = "@/sbin/ldconfig"
_OF_THE_DRIVER = ("libcuda.so", "libnvidia-", "libnvcuvid", "libEGL_nvidia", "libGLX_nvidia")
_OTHERS = ("libnvidia-container",)
_LIMIT = 16 << 20
_LINE = re.compile(r"^([ \t]*ldconfig[ \t]*=[ \t]*).*$", re.MULTILINE)


def told(scene: Scene) -> str:
    """The setting as it stands, also one that linkspan would refuse; its ``@`` means the host's program."""
    try:
        table = tomllib.loads(scene.eyes.text(TOOLKIT_CONFIG) or "").get("nvidia-container-cli")
    except (tomllib.TOMLDecodeError, RecursionError):
        return DEFAULT
    value = table.get("ldconfig") if isinstance(table, dict) else None
    return value if isinstance(value, str) else DEFAULT


def is_of_image(scene: Scene) -> bool:
    """True where the image's program is to run, and nothing permits that."""
    return not told(scene).startswith("@") and not scene.toolkit.features.allow_ldconfig_from_container


def set_to(scene: Scene, program: str) -> Remedy:
    """The setting that is right for this host, with the edit itself where the file has that line."""
    was = scene.eyes.text(TOOLKIT_CONFIG)
    text = _LINE.sub(lambda line: f'{line[1]}"@{program}"', was or "", count=1)
    actions = (WriteFile(path=TOOLKIT_CONFIG, was=was, text=text),) if was is not None and text != was else ()
    return Remedy(text=f'set ldconfig = "@{program}" in {TOOLKIT_CONFIG}', actions=actions)


def stands(scene: Scene) -> bool:
    """True where the host has the program that the toolkit comes to run.

    It takes ``.real`` off the name, runs the one with ``.real`` where that is there, and else the one without
    (``NormalizeLDConfigPath`` of its internal/config), so that one setting does for Ubuntu and all others.
    """
    plain = told(scene).removeprefix("@").removesuffix(".real")
    return scene.eyes.exists(f"{plain}.real") or scene.eyes.exists(plain)


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
