"""The driver's shared libraries: in which folders, of which version, and what leads to them.

Folders are the well-known ones that exist (contract 5.3.4, and what NixOS, Container-Optimized OS and WSL2 add), then
those that ld.so.cache names for a library of the driver; so a driver in a place of its own is found as the loader
finds it. Where two folders have a library of the same name and width, the first one wins, as in the loader.
"""

import fnmatch
import posixpath
from collections.abc import Iterable, Mapping, Sequence

from linkspan.errors import FormatError
from linkspan.facts.driver import same_version
from linkspan.facts.host import HostReader, Survey, is_file, is_folder
from linkspan.facts.model import Library, Link
from linkspan.formats import elf, ldcache, versions

FOLDERS_64 = (
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/lib64",
    "/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/lib/x86_64-linux-gnu/nvidia/current",
    "/lib/aarch64-linux-gnu/nvidia/current",
    "/run/opengl-driver/lib",  # NixOS: links into /nix/store
    "/home/kubernetes/bin/nvidia/lib64",  # Container-Optimized OS, by Google's installer
    "/var/lib/nvidia/lib64",  # the same, by cos-extensions
    "/usr/lib/wsl/lib",
)
FOLDERS_32 = (
    "/usr/lib/i386-linux-gnu",
    "/usr/lib/i386-linux-gnu/nvidia/current",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib32",
    "/usr/lib",  # RHEL, SUSE
    "/run/opengl-driver-32/lib",
)

_MODULES = ("drivers", "extensions", "updates/drivers", "updates/extensions")
BESIDE = ("vdpau", "nvidia/xorg", *(f"xorg/modules/{name}" for name in _MODULES))
"""Subfolders of a library folder that hold what programs load by path: VDPAU's and Xorg's modules (5.3.5, 5.3.7)."""
XORG_FOLDERS = (
    *(f"/usr/{lib}/xorg/modules/{name}" for lib in ("lib", "lib64") for name in _MODULES),
    "/usr/X11R6/lib/modules/drivers",
    "/usr/X11R6/lib/modules/extensions",
)
_MODULE_ENDINGS = tuple(f"/{name}" for name in (*BESIDE, *_MODULES))

PATTERNS = (
    "*.so.{version}",
    "libnvidia-nvvm70.so.*",
    "libnvidia-egl-gbm.so.*.*",
    "libnvidia-egl-wayland.so.*.*",
    "libnvidia-egl-wayland2.so.*.*",
    "libnvidia-egl-xcb.so.*.*",
    "libnvidia-egl-xlib.so.*.*",
    "nvidia_drv.so",
)
"""The driver's libraries: nearly all end in its version, some have one of their own (contract 5.3.5 and 5.3.7)."""
EXPLICIT = (
    *("libEGL", "libGL", "libGLESv1_CM", "libGLESv2", "libGLX", "libGLdispatch", "libOpenCL", "libOpenGL"),
    *("libnvidia-api", "libnvidia-egl-xcb", "libnvidia-egl-xlib"),
)
"""Libraries that come with a driver without being part of it; carried only when asked for (contract 5.3.5)."""
ESSENTIAL = ("libcuda", "libnvidia-ml")
EXPECTED = (
    *ESSENTIAL,
    *("libnvidia-cfg", "libnvidia-ptxjitcompiler", "libnvcuvid", "libnvidia-encode"),
    *("libnvidia-opticalflow", "libEGL_nvidia", "libGLX_nvidia", "libnvoptix"),
)
"""What every complete driver has since 470; any other is a part that comes and goes with the version."""

_CACHED = ("libcuda.so", "libnvidia-ml.so", "libGLX_nvidia.so", "libEGL_nvidia.so", "libnvcuvid.so", "libdxcore.so")
_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 64 << 20
_OLDEST = 100
"""The lowest major version of a driver; what Tegra's ``libcuda.so.1.1`` ends in is none."""


def folders(survey: Survey) -> tuple[str, ...]:
    """The library folders of a host, symlinks resolved, in search order."""
    host = survey.files
    search = survey.search.library_search_paths or (*FOLDERS_64, *FOLDERS_32)
    found = [host.real(folder) for folder in search if is_folder(host, folder)]
    return tuple(dict.fromkeys(folder for folder in (*found, *_cached_folders(survey)) if folder))


def _cached_folders(survey: Survey) -> list[str]:
    """The folders, symlinks resolved, in which the loader of that host finds libraries of the driver."""
    data = survey.files.read(_CACHE, 0, _CACHE_LIMIT)
    if data is None:
        survey.miss("ld.so.cache", f"{_CACHE} is not there", optional=True)
        return []
    try:
        paths = [entry[1] for entry in ldcache.parse(data) if entry[0].startswith(_CACHED)]
    except FormatError as error:
        survey.miss("ld.so.cache", f"{_CACHE}: {error.message}")
        return []
    reals = [survey.files.real(path) for path in paths]
    return [posixpath.dirname(real) for real in reals if real]


def present_versions(host: HostReader, folders: Iterable[str]) -> dict[str, dict[str, str]]:
    """The driver versions that libraries stand for: version to the files of ``libcuda`` and ``libnvidia-ml`` by name.

    In search order. More than one means that an update left something behind.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        for name in host.names(folder):
            stem, _, version = name.partition(".so.")
            number = versions.parse(version) if stem in {"libcuda", "libnvidia-ml"} else None
            real = host.real(f"{folder}/{name}") if number and len(number) > 1 and number[0] >= _OLDEST else None
            if real:
                found.setdefault(version, {}).setdefault(stem, real)
    return found


def chosen_version(
    host: HostReader, folders: Iterable[str], present: Mapping[str, Mapping[str, str]], module: str
) -> str:
    """The version that the libraries stand for: the kernel module's if it is there, else what programs would load."""
    for version in present:
        if same_version(version, module):
            return version
    for folder in folders:
        for name in ("libcuda", "libnvidia-ml"):
            version = (host.real(f"{folder}/{name}.so.1") or "").rpartition(".so.")[2]
            if version in present:
                return version
    return max(present, key=lambda version: versions.parse(version) or (), default="")


def nvml_library(host: HostReader, folders: Iterable[str], present: Mapping[str, str]) -> str:
    """The file of the NVML library: that of the chosen version, else what programs would load; empty without any."""
    if "libnvidia-ml" in present:
        return present["libnvidia-ml"]
    reals = (host.real(f"{folder}/libnvidia-ml.so.1") for folder in folders)
    return next((real for real in reals if real and is_file(host, real)), "")


def find(survey: Survey, folders: Sequence[str], version: str) -> tuple[Library, ...]:
    """The libraries of this driver version, in the order of the folders, then by name; none without a version."""
    if not version:
        return ()
    patterns = [pattern.format(version=version) for pattern in PATTERNS]
    beside = [f"{folder}/{name}" for folder in folders for name in BESIDE]
    libraries = _matching(survey, [*folders, *beside, *XORG_FOLDERS], patterns)
    if not any(library.name.endswith(f".so.{version}") for library in libraries):
        libraries = ()  # those with a version of their own are of no use, and may be another driver's
    stems = {library.name.partition(".so")[0] for library in libraries}
    for stem in EXPECTED:
        if stem not in stems:
            reason = f"no {stem}.so.{version} in {', '.join(folders) or 'any library folder'}"
            survey.miss(stem, reason, optional=stem not in ESSENTIAL)
    return libraries


def find_explicit(survey: Survey, folders: Sequence[str], owned: Iterable[Library]) -> tuple[Library, ...]:
    """The libraries beside the driver's own that are carried only when asked for by name."""
    patterns = [pattern for stem in EXPLICIT for pattern in (f"{stem}.so", f"{stem}.so.*")]
    known = {library.path for library in owned}
    return tuple(library for library in _matching(survey, folders, patterns) if library.path not in known)


def main_folders(libraries: Iterable[Library]) -> tuple[str, ...]:
    """The folders that hold 64-bit libraries of the driver, the one of libcuda first; no folder of modules."""
    wide = [library for library in libraries if library.bits == 64 and library.name.startswith("lib")]
    wide.sort(key=lambda library: not library.name.startswith("libcuda.so."))
    return tuple(dict.fromkeys(library.folder for library in wide if not library.folder.endswith(_MODULE_ENDINGS)))


def _matching(survey: Survey, folders: Iterable[str], patterns: Sequence[str]) -> tuple[Library, ...]:
    host = survey.files
    reals: dict[str | None, None] = {}
    for folder in folders:
        names = host.names(folder)
        matches = {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
        reals |= dict.fromkeys(host.real(f"{folder}/{name}") for name in sorted(matches))
    found: dict[tuple[str, int], Library] = {}
    for library in read(survey, (real for real in reals if real and is_file(host, real))):
        found.setdefault((library.name, library.bits), library)
    return tuple(found.values())


def read(survey: Survey, paths: Iterable[str]) -> tuple[Library, ...]:
    """The libraries in these files, which are named without a symlink in their paths."""
    links: dict[str, dict[str, list[Link]]] = {}
    libraries = []
    for path in paths:
        folder = posixpath.dirname(path)
        if folder not in links:
            links[folder] = _links_by_target(survey.files, folder)
        libraries.append(_library(survey, path, tuple(links[folder].get(path, ()))))
    return tuple(libraries)


def _library(survey: Survey, path: str, links: tuple[Link, ...]) -> Library:
    host = survey.files
    soname, bits = "", 32 if posixpath.dirname(path) in FOLDERS_32 else 64
    try:
        header = elf.read(lambda offset, length: host.read(path, offset, length) or b"", host.size(path))
        soname, bits = header.soname, header.bits
    except FormatError as error:
        survey.miss(f"SONAME of {path}", error.message)
    return Library(path=path, host_path=host.root + path, soname=soname, bits=32 if bits == 32 else 64, links=links)


def _links_by_target(host: HostReader, folder: str) -> dict[str, list[Link]]:
    by_target: dict[str, list[Link]] = {}
    for name in host.names(folder):
        path = f"{folder}/{name}"
        target = host.link(path) if ".so" in name else None
        real = host.real(path) if target else None
        if target and real:
            by_target.setdefault(real, []).append(Link(path=path, target=target))
    return by_target
