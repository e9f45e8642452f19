"""The driver's graphics libraries were injected, and the image lacks what these load in turn."""

from collections.abc import Iterator

from linkspan.check import image_packages
from linkspan.check.graphics import severity, uses_graphics
from linkspan.check.inside import Found as Library
from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.host import HostReader
from linkspan.formats import elf

_ENTRANCES = ("libGLX_nvidia.so.0", "libEGL_nvidia.so.0")
"""What the libraries of GLVND and Vulkan load of the driver."""


def _look(scene: Scene) -> Iterator[Found]:
    for inside in scene.gpu_containers:
        if uses_graphics(inside):
            yield from _of(inside)


def _of(inside: Inside) -> Iterator[Found]:
    for name in _ENTRANCES:
        one = inside.resolve(name)
        lacking = [] if one is None else [name for name in _needed(inside, one) if _lacks(inside, one, name)]
        if one and lacking:
            packages = image_packages.of_libraries(inside.container.root, lacking)
            yield Found(
                cause=f"{name} needs {', '.join(lacking)}, which the image does not have",
                evidence=(
                    Evidence(
                        subject=f"/proc/{inside.container.pid}/root{one.real}",
                        field="needed",
                        value=", ".join(lacking),
                    ),
                ),
                remedy=Remedy(text=f"install it in the image: {packages}"),
                about=inside.container.name,
                severity=severity(inside.container),
            )
            return


def _needed(inside: Inside, one: Library) -> list[str]:
    none: list[str] = []
    return inside.container.root.derive("needed", one.real, _read, none)


def _read(host: HostReader, path: str) -> list[str]:
    try:
        return list(elf.read(lambda at, length: host.read(path, at, length) or b"", host.size(path)).needed)
    except FormatError:
        return []


def _lacks(inside: Inside, one: Library, name: str) -> bool:
    """True for a library that images bring, and this one has nowhere; what the driver brings itself is not judged."""
    folders = (one.real.rpartition("/")[0], *inside.folders)
    here = name in inside.cached or any(inside.container.root.exists(f"{folder}/{name}") for folder in folders)
    return not here and image_packages.is_known(name)


RULE = Rule(id="D-IMAGE-8", link="image", severity="error", look=_look)
