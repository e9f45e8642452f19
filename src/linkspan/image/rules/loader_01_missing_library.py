"""A library that a program or module needs, and no file of the image nor the driver brings."""

import re
from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.holders import package_of
from linkspan.image.layers import listed
from linkspan.image.loading import Loader, is_injected, is_own, is_whole, loader
from linkspan.image.missing import remedy
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_OPTIONAL = re.compile(
    r"/lib-dynload/|-packages/nvidia/|-packages/numba/np/ufunc/(omp|tbb)pool|-packages/torch/(bin|test)/"
    r"|/cupy_backends/cuda/libs/(cutensor|nccl|cudnn|cusparselt)\."
)
"""What is left without its libraries on purpose: Python's own modules for tkinter and the like in slim images, the
transports of NVIDIA's wheels (NVSHMEM over MPI or libfabric, cuFile over RDMA), Numba's threading layers, CuPy's
bindings of what it can do without."""
_OF_OTHERS = re.compile(r"/(usr/)?lib\d*/|/opt/[^/]*conda[^/]*/")
"""Where distributions have plugins, with their dependencies or without."""
_TOLD = re.compile(r"libonnxruntime_providers_\w+\.so")
"""Another rule's."""
_COMPANION = re.compile(r"(_gpu)?(_cu\d+)?\.libs$|(?<=^cupy)(_backends|x)$")
_MAIN = re.compile(r".*-packages/(?P<package>[^/]+)/_?(?:(?P=package)|C|C_\w+|swig(?P=package))\.[^/]*so")
"""A package's own module, without which it cannot be imported: ``cv2/cv2.abi3.so``, ``torch/_C.cpython-311….so``."""

_Missing = dict[str, list[Entry]]


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found, used = loader(image), loader(image).used
    groups: dict[str, _Missing] = {}
    plugins: _Missing = {}
    for name, entries in sorted(_missing(image).items()):
        for one in entries:
            package = _package(one)
            if one.path in used:
                groups.setdefault(package or f"/{name}", {}).setdefault(name, []).append(one)
            elif not package and not _OF_OTHERS.match(one.path):  # which of theirs are wanted they know best
                plugins.setdefault(name, []).append(one)
    yield from (_told(image, found, name, group) for name, group in groups.items())
    if plugins:
        yield _of_plugins(plugins)


def _package(one: Entry) -> str:
    """The Python package that a file is of, also where it stands in auditwheel's folder beside the package."""
    return _COMPANION.sub("", package_of(one))


def _missing(image: Image) -> _Missing:
    missing: _Missing = {}
    for entry in (one for one in image.elves if is_whole(image) and is_own(one) and not _OPTIONAL.search(one.path)):
        for name in entry.elf.needs if entry.elf else ():
            # Libraries of CUDA that lack one another are another rule's.
            is_told = (is_of_cuda(name) and is_of_cuda(entry.name)) or _TOLD.fullmatch(entry.name)
            if not is_told and not is_injected(name) and not loader(image).is_anywhere(name):
                missing.setdefault(name, []).append(entry)
    return missing


def _told(image: Image, found: Loader, group: str, missing: _Missing) -> Broken:
    entries = list({one.path: one for every in missing.values() for one in every}.values())
    runs = any(one.elf and one.elf.interpreter for one in entries)
    vital = runs or any(map(is_of_cuda, missing)) or any(one.path in found.vital(_MAIN) for one in entries)
    verb, them = ("is", "it") if len(missing) == 1 else ("are", "them")
    return Broken(
        cause=f"{listed(missing, 5)} {verb} not in the image, and {entries[0].path} needs {them}",
        fix=remedy(image, missing, "" if group.startswith("/") else group),
        paths=tuple(one.path for one in entries),
        severity="error" if vital else None,
    )


def _of_plugins(missing: _Missing) -> Broken:
    paths = tuple(dict.fromkeys(one.path for every in missing.values() for one in every))
    need = f"{len(paths)} plugins, such as {paths[0]}, need" if len(paths) > 1 else f"the plugin {paths[0]} needs"
    return Broken(
        cause=f"{need} {listed(missing)}, not in the image; no program links to them",
        fix="nothing, unless the application opens them by name; then install what they need",
        paths=paths,
        severity="info",
    )


RULE = Rule(
    id="I-LOADER-1",
    title="a needed library is not in the image",
    area="loader",
    severity="warning",
    why="The loader ends the program with 'cannot open shared object file: No such file or directory'.",
    look=_look,
)
