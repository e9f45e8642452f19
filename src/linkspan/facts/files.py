"""The driver's files beside its libraries: programs, firmware, sockets, vendor files, folders.

Their ``path`` is where they are looked for, so that a container finds them under the name it knows; only ``host_path``
has its symlinks resolved (Debian's ``/usr/bin/nvidia-smi`` leads through /etc/alternatives).
"""

import posixpath
from collections.abc import Iterable, Sequence

from linkspan.facts.host import Survey, as_file, glob, is_file, is_folder, text
from linkspan.facts.model import Config, File
from linkspan.facts.tegra import RELEASE_FILE

BINARIES = (
    "nvidia-smi",
    "nvidia-debugdump",
    "nvidia-persistenced",
    "nvidia-cuda-mps-control",
    "nvidia-cuda-mps-server",
    "nvidia-imex",
    "nvidia-imex-ctl",
    "nv-fabricmanager",
    "nvidia-xconfig",
)
"""Programs that some capability or CDI mode carries (contract 4.4, 5.3.7, 5.3.10)."""
_BINARY_FOLDERS = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/run/current-system/sw/bin",  # NixOS
    "/home/kubernetes/bin/nvidia/bin",  # Container-Optimized OS
    "/var/lib/nvidia/bin",
    "/usr/lib/wsl/lib",
)

_SOCKETS = ("nvidia-persistenced/socket", "nvidia-fabricmanager/socket")
_RUN = ("/run", "/var/run")
MPS_FOLDER = "/tmp/nvidia-mps"  # noqa: S108  # the daemon's default pipe directory, not a file of ours

_FIRMWARE_SETTING = "/sys/module/firmware_class/parameters/path"

_CONFIG_FOLDERS = (
    "/etc",
    "/usr/local/share",
    "/usr/share",
    "/run/opengl-driver/share",  # NixOS
    "/home/kubernetes/bin/nvidia/share",  # Container-Optimized OS
    "/home/kubernetes/bin/nvidia",
)
"""/etc and the default of XDG_DATA_DIRS (5.3.7) come first. Not our own environment: facts are the host's."""
_USR_SHARE = (
    "glvnd/egl_vendor.d/10_nvidia.json",
    "egl/egl_external_platform.d/15_nvidia_gbm.json",
    "egl/egl_external_platform.d/10_nvidia_wayland.json",
    "egl/egl_external_platform.d/09_nvidia_wayland2.json",
    "egl/egl_external_platform.d/20_nvidia_xcb.json",
    "egl/egl_external_platform.d/20_nvidia_xlib.json",
    "nvidia/nvoptix.bin",
    "X11/xorg.conf.d/10-nvidia.conf",
    "X11/xorg.conf.d/nvidia-drm-outputclass.conf",
)
_ETC = (
    "OpenCL/vendors/nvidia.icd",
    "vulkan/icd.d/nvidia_icd.json",
    "vulkan/icd.d/nvidia_layers.json",
    "vulkan/icd.d/nvidia_icd.x86_64.json",
    "vulkan/icd.d/nvidia_icd.aarch64.json",
    "vulkan/implicit_layer.d/nvidia_layers.json",
)
"""Vendor files by where a container expects them, below /usr/share and /etc (contract 5.3.7)."""
UDEV = "/run/udev"


def binaries(survey: Survey) -> tuple[File, ...]:
    """The programs of the driver, each from the first folder that has it."""
    found = []
    for name in BINARIES:
        path = _first(survey, (f"{folder}/{name}" for folder in _BINARY_FOLDERS))
        if path:
            found.append(as_file(survey.files, path))
        else:
            survey.miss(name, "neither in /usr/bin nor in any other folder of programs", optional=name != "nvidia-smi")
    return tuple(found)


def firmware(survey: Survey, version: str) -> tuple[File, ...]:
    """The GSP firmware of this driver, from the folders in which the kernel looks, in its order (5.3.9)."""
    if not version:
        return ()
    release, _ = survey.kernel.uname()
    setting = (text(survey.kernel, _FIRMWARE_SETTING) or "").strip()
    library = "/lib/firmware"
    folders = (setting, f"{library}/updates/{release}", f"{library}/updates", f"{library}/{release}", library)
    found: dict[str, File] = {}
    for folder in filter(None, folders):
        for path in glob(survey.files, f"{folder}/nvidia/{version}/gsp*.bin"):
            found.setdefault(posixpath.basename(path), as_file(survey.files, path))
    if not found:
        survey.miss("firmware", f"no nvidia/{version}/gsp*.bin in {library} or its updates", optional=True)
    return tuple(found.values())


def sockets(survey: Survey) -> tuple[File, ...]:
    """The sockets of the driver's daemons, and the folder of the MPS pipes."""
    found = []
    for name in _SOCKETS:
        path = next((f"{run}/{name}" for run in _RUN if _is_socket(survey, f"{run}/{name}")), None)
        if path:
            found.append(as_file(survey.files, path))
        else:
            survey.miss(
                posixpath.dirname(name), f"no socket {name} in {' or '.join(_RUN)}, so it does not run", optional=True
            )
    if is_folder(survey.files, MPS_FOLDER):
        found.append(as_file(survey.files, MPS_FOLDER))
    else:
        survey.miss("MPS", f"{MPS_FOLDER} is not there, so no MPS daemon runs", optional=True)
    return tuple(found)


def _is_socket(survey: Survey, path: str) -> bool:
    status = survey.files.status(survey.files.real(path) or path)
    return status is not None and status.kind == "socket"


def configs(survey: Survey) -> tuple[Config, ...]:
    """The vendor files, each from the first folder that has it, with its place in a container."""
    folders = survey.search.config_search_paths or _CONFIG_FOLDERS
    found = [_config(survey, "/usr/share", name, folders) for name in _USR_SHARE]
    found += [_config(survey, "/etc", name, folders) for name in _ETC]
    found.append(_config(survey, "/etc", "cufile.json", ("/etc",)))
    if is_file(survey.files, RELEASE_FILE):
        found.append(_config(survey, "/etc", posixpath.basename(RELEASE_FILE), ("/etc",)))
    return tuple(config for config in found if config)


def _config(survey: Survey, place: str, name: str, folders: Sequence[str]) -> Config | None:
    # Google's installer keeps its vulkan folder right below the driver root.
    last = ("",) if name.startswith("vulkan/") else ()
    path = _first(survey, (f"{folder}/{name}" for folder in (*folders, *last)))
    if not path:
        survey.miss(
            posixpath.basename(name),
            f"there is no {name} in {folders[0]} or the other folders of such files",
            optional=True,
        )
        return None
    host_path = as_file(survey.files, path).host_path
    return Config(path=path, host_path=host_path, container_path=f"{place}/{name}")


def folders(survey: Survey) -> tuple[File, ...]:
    """Folders that are carried as a whole: /run/udev, which GPUDirect Storage reads."""
    if is_folder(survey.files, UDEV):
        return (as_file(survey.files, UDEV),)
    survey.miss(UDEV, "is not there", optional=True)
    return ()


def _first(survey: Survey, paths: Iterable[str]) -> str | None:
    return next((path for path in paths if is_file(survey.files, path)), None)
