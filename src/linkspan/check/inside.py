"""What the root file system of a GPU container holds of driver and CUDA: its image's files, and what was injected."""

import re
from functools import cached_property
from typing import NamedTuple

from linkspan.check.containers import Container
from linkspan.errors import FormatError
from linkspan.facts.host import HostReader
from linkspan.formats import ldcache, versions

FOLDERS = (
    *("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"),
    *("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/lib", "/usr/local/lib"),
    *("/usr/lib/x86_64-linux-gnu/nvidia/current", "/usr/lib/aarch64-linux-gnu/nvidia/current"),
    *("/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib"),
    *("/usr/lib/aarch64-linux-gnu/tegra", "/usr/lib/aarch64-linux-gnu/nvidia"),
)
"""Where images and the driver keep libraries: the loader's own folders, and those of the driver."""
_DEFAULT = FOLDERS[:8]
COMPAT = "/usr/local/cuda/compat"
_CUDA = "/usr/local/cuda"
_OF_INTEREST = re.compile(
    r"^(libcuda|libcudadebugger|libnvidia-|libnvcuvid|libGLX_nvidia|libEGL_nvidia|libGLESv._nvidia|libnvoptix|libcudart"
    r"|libcublas|libcudnn|libnvinfer|libvisionworks|libdxcore|libvdpau_nvidia|libX11|libXext|libxcb|libEGL|libGL|libdrm|libgbm|libwayland|libvulkan)"
    r"[^/]*\.so"
)
_DRIVER = re.compile(
    r"^(libcuda|libcudadebugger|libnvidia-(?!container|egl-)[a-z0-9-]+|libnvcuvid|libGLX_nvidia|libEGL_nvidia"
    r"|libGLESv._nvidia|libGLESv1_CM_nvidia|libnvoptix|libvdpau_nvidia)\.so(\.[0-9.]+)?$"
)
_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 8 << 20


class Found(NamedTuple):
    """A library in a container: ``kind`` as in ``Status``; ``real`` is where its links end, empty for nowhere."""

    path: str
    kind: str
    size: int
    real: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def version(self) -> str:
        """The driver's version that its real file ends in, empty where it ends in none."""
        return version_of(self.real or self.path)


def version_of(path: str) -> str:
    """The driver's version in a file name: ``libcuda.so.550.54.14``; empty for ``libcuda.so.1``."""
    number = path.rpartition(".so.")[2]
    parts = versions.parse(number)
    return number if parts and len(parts) > 1 and parts[0] >= 100 else ""


def is_driver_name(name: str) -> bool:
    """True for the name of a library that only a driver brings."""
    return bool(_DRIVER.match(name))


class Inside:
    """A container's root file system, read once, and only as far as a rule asks."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self._eyes = container.root

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The library folders that are there, those of LD_LIBRARY_PATH first, symlinks followed."""
        named = (folder for folder in self.loader_path if folder.startswith("/"))
        found = (self._eyes.real(folder) for folder in (*named, *FOLDERS))
        return tuple(dict.fromkeys(folder for folder in found if folder))

    @cached_property
    def loader_path(self) -> tuple[str, ...]:
        """The folders of LD_LIBRARY_PATH, as they are written there."""
        words = self.container.env.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":")
        return tuple(word.rstrip("/") for word in words if word)

    def libraries(self, folder: str) -> list[Found]:
        """The libraries of driver, CUDA and graphics in a folder, whose path has no links in it."""
        none: list[list[str | int]] = []
        rows = self._eyes.derive("libraries", folder, _rows, none)
        return [Found(str(path), str(kind), int(size), str(real)) for path, kind, size, real in rows]

    @cached_property
    def all(self) -> tuple[Found, ...]:
        """The libraries of all folders."""
        return tuple(one for folder in self.folders for one in self.libraries(folder))

    @cached_property
    def mounted(self) -> frozenset[str]:
        """Where something is mounted."""
        return frozenset(mount.path for mount in self.container.mounts)

    def is_injected(self, one: Found) -> bool:
        """True where the file itself, or a folder above it, was mounted from the host."""
        path = one.real or one.path
        return any(path == mount or path.startswith(f"{mount}/") for mount in self.mounted if mount != "/")

    @cached_property
    def baked(self) -> tuple[Found, ...]:
        """Driver files that came with the image: not mounted, and no link to a file that is there."""
        stubs = (one for one in self.all if is_driver_name(one.name) and "/compat" not in one.real)
        return tuple(one for one in stubs if "/stubs" not in one.path and not self._is_ours(one))

    def _is_ours(self, one: Found) -> bool:
        if one.kind == "link":
            return bool(one.real) and (self.is_injected(one) or one.real in self._paths)
        return self.is_injected(one)

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(one.path for one in self.all)

    def has(self, prefix: str) -> bool:
        """True where a library whose name begins so stands in a library folder, and is not empty."""
        return any(one.name.startswith(prefix) and one.real and one.size for one in self.all)

    @cached_property
    def cached(self) -> dict[str, str]:
        """The loader's cache, as far as it is of interest: name to the first path."""
        none: dict[str, str] = {}
        return self._eyes.derive("loader cache", _CACHE, _cache, none)

    def resolve(self, name: str) -> Found | None:
        """The library that the loader takes: by LD_LIBRARY_PATH, then the cache, then its own folders (ld.so(8))."""
        for folder in self.loader_path:
            found = self._at(f"{folder}/{name}")
            if found:
                return found
        if name in self.cached and (found := self._at(self.cached[name])):
            return found
        return next((found for folder in _DEFAULT if (found := self._at(f"{folder}/{name}"))), None)

    def _at(self, path: str) -> Found | None:
        real = self._eyes.real(path) if path.startswith("/") else None
        status = self._eyes.status(path) if real else None
        size = self._eyes.size(path) if real else 0
        return Found(path, status.kind, size, real) if real and status and size else None

    @cached_property
    def libcudas(self) -> frozenset[str]:
        """The driver versions of all libcudas that there are, wherever the loader may look."""
        found = (*self.all, *((self.compat,) if self.compat else ()))
        return frozenset(one.version for one in found if one.name.startswith("libcuda.so") and one.version)

    @cached_property
    def compat(self) -> Found | None:
        """CUDA's compatibility libcuda in the image, where there is one."""
        real = self._eyes.real(COMPAT)
        there = self.libraries(real) if real else []
        whole = (one for one in there if one.kind == "file" and one.size)
        return next((one for one in whole if one.name.startswith("libcuda.so") and one.version), None)

    @cached_property
    def cudart(self) -> Found | None:
        """The newest CUDA runtime library of the toolkit's own folder."""
        real = self._eyes.real(f"{_CUDA}/lib64")
        found = [one for one in self.libraries(real) if one.name.startswith("libcudart.so.")] if real else []
        return max(found, key=lambda one: versions.parse(cudart_version(one)) or (), default=None)


def cudart_version(one: Found) -> str:
    """CUDA's version by the file name of its runtime library: ``libcudart.so.12.4.127`` is of CUDA 12.4."""
    return ".".join((one.real or one.path).rpartition(".so.")[2].split(".")[:2])


def _rows(host: HostReader, folder: str) -> list[list[str | int]]:
    rows: list[list[str | int]] = []
    for name in host.names(folder):
        status = host.status(f"{folder}/{name}") if _OF_INTEREST.match(name) else None
        if status and status.kind in ("file", "link"):
            # The folder is one without links, so only a link leads elsewhere.
            real = f"{folder}/{name}" if status.kind == "file" else host.real(f"{folder}/{name}") or ""
            rows.append([f"{folder}/{name}", status.kind, host.size(real) if real else 0, real])
    return rows


def _cache(host: HostReader, path: str) -> dict[str, str]:
    try:
        entries = ldcache.parse(host.read(path, 0, _CACHE_LIMIT) or b"")
    except FormatError:
        return {}
    found: dict[str, str] = {}
    for name, place, *_ in entries:
        if _OF_INTEREST.match(name):
            found.setdefault(name, place)
    return found
