"""WSL2: the driver is Windows' own, and its Linux side comes in the driver store that Windows mounts (contract 5.5)."""

import fnmatch
import posixpath
from collections.abc import Iterable

from linkspan.facts import libraries
from linkspan.facts.host import Survey, as_file, glob, is_file
from linkspan.facts.model import File, Library

_DXCORE = "libdxcore.so"
_STORES = "/usr/lib/wsl/drivers/*"
_MARK = "libcuda.so.1.1"
_DATA = ("*.bin", "*.dll")


def dxcore(survey: Survey, folders: Iterable[str]) -> str:
    """The library through which WSL2 reaches the GPU, empty on any other host: its presence is what tells WSL2."""
    for folder in folders:
        real = survey.files.real(f"{folder}/{_DXCORE}")
        if real and is_file(survey.files, real):
            return real
    return ""


def store(survey: Survey) -> str:
    """The folder of the driver store that has CUDA, the newest where an update left an older one behind."""
    stores = [posixpath.dirname(path) for path in glob(survey.files, f"{_STORES}/{_MARK}")]
    if not stores:
        survey.miss("driver store", f"no {_STORES}/{_MARK}")
    return max(stores, key=lambda folder: _mtime_ns(survey, f"{folder}/{_MARK}"), default="")


def _mtime_ns(survey: Survey, path: str) -> int:
    status = survey.files.status(path)
    return status.mtime_ns if status else 0


def find(survey: Survey, dxcore_path: str, folder: str) -> tuple[Library, ...]:
    """The library libdxcore and the libraries of the driver store."""
    names = fnmatch.filter(survey.files.names(folder), "*.so*") if folder else []
    reals = dict.fromkeys(survey.files.real(f"{folder}/{name}") for name in names)
    return libraries.read(survey, [dxcore_path, *(real for real in reals if real and is_file(survey.files, real))])


def programs(survey: Survey, folder: str) -> tuple[File, ...]:
    """The driver store's nvidia-smi: the one beside libdxcore is only a link to it, or older."""
    path = f"{folder}/nvidia-smi"
    if folder and is_file(survey.files, path):
        return (as_file(survey.files, path),)
    survey.miss("nvidia-smi", f"not in the driver store {folder}")
    return ()


def data(survey: Survey, folder: str) -> tuple[File, ...]:
    """What the libraries of the driver store load from beside them."""
    names = survey.files.names(folder) if folder else []
    wanted = [name for pattern in _DATA for name in fnmatch.filter(names, pattern)]
    return tuple(as_file(survey.files, f"{folder}/{name}") for name in wanted)
