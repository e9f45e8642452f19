"""What the driver brings into a container: its files, the links between them, and the names the loader has to find.

Contract 5.3, with two differences. Files are filtered by capability. And each library that is mounted gets its SONAME
link: the toolkit leaves some of them to ldconfig, which makes them in the container; we do not run it.
"""

from collections.abc import Collection, Iterable

from linkspan.errors import HostError
from linkspan.facts.model import File, HostFacts, Library, Link
from linkspan.plan.capabilities import admits
from linkspan.plan.devices import CUFILE
from linkspan.plan.edits import VOID, merge
from linkspan.plan.model import Capability, Injection, Loadable, Mount
from linkspan.plan.switches import EXPLICIT_LIBRARIES, NO_SOCKETS

_SOCKET_OPTIONS = ("nosuid", "nodev", "rbind", "rprivate", "noexec")
_PROFILED = frozenset({"graphics", "display"})
_COMPUTING = frozenset({"compute", "video"})

_EXPLICIT = frozenset(
    {"libEGL", "libGL", "libGLESv1_CM", "libGLESv2", "libGLX", "libGLdispatch", "libOpenCL", "libOpenGL"}
    | {"libnvidia-api"}
)
"""Libraries that come with a driver without being part of it: an image has its own (contract 5.3.5)."""

_DESKTOP = frozenset(
    {f"libnvidia-egl-{platform}" for platform in ("gbm", "wayland", "wayland2", "xcb", "xlib")}
    | {"libnvidia-vulkan-producer", "nvidia_drv", "libglxserver_nvidia", "nvidia-xconfig"}
)
"""What the toolkit's graphics part brings beside the driver's own libraries (contract 5.3.7)."""

_LOADED_BY_PATH = frozenset({"nvidia_drv", "libglxserver_nvidia"})
"""Modules of the X server, which no program finds by the loader."""

_FURTHER_LINKS = {
    "libcuda": ("libcuda.so.1", "libcuda.so"),
    "libGLX_nvidia": ("{name}", "libGLX_indirect.so.0"),
    "libnvidia-opticalflow": ("libnvidia-opticalflow.so.1", "libnvidia-opticalflow.so"),
    "libnvidia-vulkan-producer": ("{name}", "libnvidia-vulkan-producer.so"),
    "libglxserver_nvidia": ("{name}", "libglxserver_nvidia.so"),
}
"""Links that a program needs whether or not the host has them: target and name (contract 5.3.6 and 5.3.7)."""

_PROGRAM_FOLDERS = frozenset(f"{folder}/{name}" for folder in ("/usr/local", "/usr", "") for name in ("sbin", "bin"))


def require_driver(facts: HostFacts) -> None:
    """Raise HostError where there is no driver that could be carried across whole."""
    name_root = "name its root by --driver-root or nvidia-container-cli.root"
    if facts.driver.conflict:
        raise HostError(
            facts.driver.conflict,
            hint="reboot, or reload the kernel modules, so that the kernel runs the driver that is installed",
            subject="driver",
        )
    if not facts.driver.version:
        raise HostError(
            f"no NVIDIA driver was found below {facts.root}",
            hint=f"install the driver on the host, or {name_root}",
            subject="driver",
        )
    if not facts.libraries:
        raise HostError(
            f"no library of driver {facts.driver.version} was found below {facts.root}",
            hint=f"install the driver's libraries, or {name_root}",
            subject="driver",
        )


def driver_edits(
    facts: HostFacts, granted: Collection[Capability], features: Collection[str] = (), *, desktop: bool = True
) -> Injection:
    """The driver's part for these capabilities; without ``desktop``, less the vendor files of EGL, Vulkan and Xorg."""
    return merge(
        Injection(env=(f"NVIDIA_CTK_LIBCUDA_DIR={':'.join(facts.library_folders)}", VOID)),
        libraries_edits(facts, granted, features, desktop=desktop),
        Injection(
            links=program_links(item for item in facts.binaries if _is_wanted(item.path, granted, desktop=desktop))
        ),
        Injection(
            mounts=_file_mounts(facts, granted, features, desktop=desktop),
            driver_version=facts.driver.version if _COMPUTING & set(granted) else "",
            mask_params=facts.params_modify_device_files,
            application_profile=desktop and bool(_PROFILED & set(granted)),
        ),
    )


def libraries_edits(
    facts: HostFacts, granted: Collection[Capability], features: Collection[str] = (), *, desktop: bool = True
) -> Injection:
    """The driver's libraries for these capabilities, with their links."""
    carried = [item for item in facts.libraries if _is_carried(item, granted, features, desktop=desktop)]
    allocators = [item for item in carried if desktop and _stem(item.name) == "libnvidia-allocator"]
    gbm = _gbm_links(allocators) if _PROFILED & set(granted) else ()
    return merge(*map(library_edits, carried), Injection(links=gbm))


def _is_carried(library: Library, granted: Collection[Capability], features: Collection[str], *, desktop: bool) -> bool:
    stem = _stem(library.name)
    if library.bits == 32 and "compat32" not in granted:
        return False
    if stem in _EXPLICIT and EXPLICIT_LIBRARIES not in features:
        return False
    return (desktop or stem not in _DESKTOP) and admits(library.path, granted)


def library_edits(library: Library) -> Injection:
    """A library at its own place, the links beside it that lead to it, and the names it is loaded by."""
    links = _links(library)
    names = [library.soname or library.name, *(link.path for link in links)]
    loadable = () if _stem(library.name) in _LOADED_BY_PATH else tuple(dict.fromkeys(names))
    return Injection(
        mounts=(Mount(host_path=library.host_path, container_path=library.path),),
        links=tuple(Link(path=f"{library.folder}/{link.path}", target=link.target) for link in links),
        loadables=tuple(Loadable(path=f"{library.folder}/{name}", bits=library.bits) for name in loadable),
    )


def _links(library: Library) -> list[Link]:
    """The links beside a library, by their names: SONAME, those of the table, and ``X.so`` where the host has that."""
    name, soname, stem = library.name, library.soname, _stem(library.name)
    links = [Link(path=soname, target=name)] if soname else []
    if stem in _FURTHER_LINKS:
        target, link = _FURTHER_LINKS[stem]
        links.append(Link(path=link, target=target.format(name=name)))
    if any(link.path == f"{library.folder}/{stem}.so" for link in library.links):
        links.append(Link(path=f"{stem}.so", target=soname or name))
    once = {link.path: link for link in reversed(links) if link.path not in (name, link.target)}
    return list(reversed(once.values()))


def _gbm_links(allocators: Iterable[Library]) -> tuple[Link, ...]:
    """GBM finds its backend by the name of the kernel's driver, ``nvidia-drm``, in a folder of its own."""
    return tuple(
        Link(path=f"{library.folder}/gbm/nvidia-drm_gbm.so", target="../libnvidia-allocator.so.1")
        for library in allocators
    )


def _file_mounts(
    facts: HostFacts, granted: Collection[Capability], features: Collection[str], *, desktop: bool
) -> tuple[Mount, ...]:
    files: Iterable[File] = (*facts.binaries, *facts.firmware)
    sockets = () if NO_SOCKETS in features else facts.sockets
    mounts = [
        *(Mount(host_path=item.host_path, container_path=item.path) for item in files),
        *(Mount(host_path=item.host_path, container_path=item.path, options=_SOCKET_OPTIONS) for item in sockets),
        *(Mount(host_path=item.host_path, container_path=item.container_path) for item in facts.configs if desktop),
    ]
    return tuple(mount for mount in mounts if _is_wanted(mount.container_path, granted, desktop=desktop))


def _is_wanted(path: str, granted: Collection[Capability], *, desktop: bool) -> bool:
    name = path.rpartition("/")[2]
    return path != CUFILE and admits(path, granted) and (desktop or name not in _DESKTOP)


def program_links(programs: Iterable[File]) -> tuple[Link, ...]:
    """Links in /usr/bin to programs that a host keeps where no container's PATH leads (NixOS, COS, WSL2)."""
    apart = (item.path for item in programs if item.path.rpartition("/")[0] not in _PROGRAM_FOLDERS)
    return tuple(Link(path=f"/usr/bin/{path.rpartition('/')[2]}", target=path) for path in apart)


def _stem(name: str) -> str:
    return name.partition(".so")[0]
