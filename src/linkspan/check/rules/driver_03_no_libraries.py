"""libcuda and NVML are not there, or the loader does not know where."""

import posixpath
from collections.abc import Iterator

from linkspan.check.device_nodes import is_here
from linkspan.check.distribution import read
from linkspan.check.driver_module import dkms_sources, held_by_nouveau, install, on_disk, other_kernels, unserved
from linkspan.check.model import Evidence, Found, Link, Remedy
from linkspan.check.registry import Rule
from linkspan.check.remedies import programs
from linkspan.check.scene import Scene
from linkspan.errors import FormatError
from linkspan.facts.driver import VERSION_FILE
from linkspan.facts.host import HostReader
from linkspan.formats import ldcache

_WANTED = ("libcuda.so.1", "libnvidia-ml.so.1")
_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 32 << 20
_DEFAULT = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
"""Where the loader looks without its cache (ld.so(8))."""


def _look(scene: Scene) -> Iterator[Found]:
    if scene.facts.platform in ("wsl", "tegra"):
        return
    there = {library.soname for library in scene.facts.libraries}
    lacking = [name for name in _WANTED if name not in there]
    if not scene.has_driver:
        if lacking == list(_WANTED):
            yield from _nothing(scene)
    elif lacking and is_here(scene) and read(scene.eyes).family != "image":
        yield _not_installed(scene, lacking)
    elif not lacking:
        yield from _not_cached(scene)


def _nothing(scene: Scene) -> Iterator[Found]:
    """Neither module nor libraries: there is no driver at all."""
    gpus = unserved(scene)
    built = dkms_sources(scene) or other_kernels(scene) or on_disk(scene, scene.kernel)
    if gpus and not built and not held_by_nouveau(scene):
        yield Found(
            cause=f"no NVIDIA driver is installed for the GPU at {gpus[0].address}",
            evidence=(
                Evidence(subject=gpus[0].folder, field="device", value=gpus[0].device_id),
                Evidence(subject=VERSION_FILE, value="not there"),
                Evidence(subject=_WANTED[0], field="in the library folders", value="not there"),
            ),
            remedy=Remedy(
                text="install the driver; 'linkspan host setup' plans that for this distribution",
                commands=programs(scene, "linkspan host setup"),
            ),
        )


def _not_installed(scene: Scene, lacking: list[str]) -> Found:
    version = scene.loaded_driver
    branch = version.partition(".")[0]
    return Found(
        cause=f"the kernel module of driver {version} is loaded, and {' and '.join(lacking)} of it not on this host",
        evidence=(
            Evidence(subject=VERSION_FILE, field="NVRM version", value=version),
            *(Evidence(subject=name, field="in the library folders", value="not there") for name in lacking),
        ),
        remedy=Remedy(
            text=f"install the driver's libraries, of version {version}",
            commands=install(scene, "compute", branch=branch),
        ),
        link="libraries",
    )


def _not_cached(scene: Scene) -> Iterator[Found]:
    library = next(one for one in scene.facts.libraries if one.soname == _WANTED[0])
    link: Link = "loader-cache"
    nothing: list[str] = []
    if not scene.eyes.exists(_CACHE) or posixpath.dirname(library.path) in _DEFAULT:
        return
    known = scene.eyes.derive("driver in loader cache", _CACHE, _names, nothing)
    if not set(_WANTED) & set(known) and _is_standard(library.folder):
        yield Found(
            cause=f"{_CACHE} knows no {_WANTED[0]}, though {library.path} is there",
            evidence=(
                Evidence(subject=_CACHE, field=_WANTED[0], value="not in it"),
                Evidence(subject=library.path, field="SONAME", value=library.soname),
            ),
            remedy=Remedy(text="let the loader look again", commands=programs(scene, "ldconfig")),
            link=link,
        )


def _is_standard(folder: str) -> bool:
    """False for the private folders of systems that tell programs of the driver in another way."""
    return not folder.startswith(("/nix/", "/home/kubernetes/", "/opt/", "/var/", "/run/"))


def _names(host: HostReader, path: str) -> list[str]:
    try:
        entries = ldcache.parse(host.read(path, 0, _CACHE_LIMIT) or b"")
    except FormatError:
        return list(_WANTED)  # what cannot be read proves nothing
    names = {name for name, *_ in entries}
    return [name for name in _WANTED if name in names]


RULE = Rule(id="D-DRIVER-3", link="module", severity="error", look=_look)
