"""What the programs of an image want of CUDA: what they link to, what they open by themselves, what they compile.

A library that a program opens by its name (dlopen) stands in no ELF header. Those frameworks that do so are known by
name; of others it cannot be told, and whoever goes by this says so.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from linkspan.image.cuda_libraries import is_cudas_own
from linkspan.image.holders import holders
from linkspan.image.model import Entry, Image
from linkspan.image.owners import owner
from linkspan.image.stack import stack
from linkspan.image.translation import compiles_with_nvvm

_OF_CUDA = ("cuda", "cudnn")
_TOOLKIT = re.compile(r"/(?:usr/local/cuda|usr/lib|lib|usr/local/lib(?:64)?/lib|opt/nvidia/|usr/cuda)")
"""Where the toolkit, packages of distributions and cuDNN's installer put libraries."""
_COMPILES = ("flashinfer-python", "deep-gemm", "deep-ep", "numba", "numba-cuda", "pycuda")
"""Packages that call CUDA's compiler, or its libnvvm, when they run."""
_OPENS = {
    "tensorflow": "cudnn",
    "tensorflow-gpu": "cudnn",
    "jaxlib": "cudnn",
    "cupy": "cuda",
    "cupy-cuda11x": "cuda",
    "cupy-cuda12x": "cuda",
    "cupy-cuda13x": "cuda",
    "pycuda": "cuda",
    "cuda-python": "cuda",
    "cuda-bindings": "cuda",
}
"""Packages that open CUDA's libraries by name, and what they open at most."""


class Link(NamedTuple):
    """A program links to a library; ``provider`` is the library's file in the image, None where it has none."""

    program: Entry
    library: str
    provider: Entry | None

    @property
    def is_packaged(self) -> bool:
        """Whether the library came with what uses it, so that no toolkit is wanted for it."""
        return self.provider is not None and is_packaged(self.provider)


class Wants:
    """What the programs of one image want, found out once."""

    def __init__(self, image: Image) -> None:
        self.image = image

    @cached_property
    def packages(self) -> dict[str, str]:
        """The Python packages by name, with their versions."""
        return {one.name: one.version for one in stack(self.image).distributions}

    @cached_property
    def libraries(self) -> tuple[Entry, ...]:
        """The libraries of CUDA, cuDNN and their like, wherever they stand."""
        return tuple(entry for entry in self.image.elves if owner(entry) in _OF_CUDA)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Each library of CUDA that a program of others links to."""
        programs = (entry for entry in self.image.elves if owner(entry) not in {*_OF_CUDA, "compat", "driver", "tools"})
        programs = (entry for entry in programs if not is_cudas_own(entry.path))
        return tuple(
            Link(program, name, self.provider(name, program))
            for program in programs
            for name in (program.elf.needs if program.elf else ())
            if _is_of_cuda(name)
        )

    def provider(self, name: str, program: Entry) -> Entry | None:
        """The file that a program gets by a library's name: one of its own kind first, a package's or the system's."""
        named = (self.image.resolve(entry.path) for entry in self.image.by_name.get(name, ()))
        found = [entry for entry in named if entry is not None and entry.kind == "file"]
        found += [entry for entry in self.libraries if entry.elf and entry.elf.soname == name and entry not in found]
        same = [entry for entry in found if is_packaged(entry) == is_packaged(program)]
        return next(iter(same or found), None)

    @cached_property
    def used(self) -> frozenset[str]:
        """The paths of CUDA's libraries that a program links to, directly or through another one."""
        ahead = [link.provider for link in self.links if link.provider]
        seen: set[str] = set()
        while ahead:
            entry = ahead.pop()
            if entry.path not in seen:
                seen.add(entry.path)
                needs = entry.elf.needs if entry.elf else ()
                ahead += [found for name in needs if _is_of_cuda(name) and (found := self.provider(name, entry))]
                ahead += self._parts_of(entry)
        return frozenset(seen)

    def _parts_of(self, entry: Entry) -> list[Entry]:
        """What a library opens by itself: its own parts beside it, as libcudnn.so.9 does libcudnn_ops.so.9."""
        family = _family(entry.name)
        return [one for one in self.libraries if one.folder == entry.folder and family and _family(one.name) == family]

    @cached_property
    def compiling(self) -> tuple[str, ...]:
        """The packages that compile for the GPU when they run."""
        found = (name for name in _COMPILES if name in self.packages)
        return tuple(name for name in found if "numba" not in name or compiles_with_nvvm(self.image))

    @cached_property
    def opening(self) -> dict[str, str]:
        """The packages that open CUDA's libraries by name, and what they open at most: cuda or cudnn."""
        return {name: most for name, most in _OPENS.items() if name in self.packages}

    @cached_property
    def packaged(self) -> tuple[Entry, ...]:
        """Those of CUDA's libraries that came with what uses them."""
        return tuple(entry for entry in self.libraries if is_packaged(entry))

    @cached_property
    def holds_gpu_code(self) -> tuple[Entry, ...]:
        """Programs of others with code for GPUs in them."""
        return tuple(entry for one in holders(self.image) for entry in one.entries)


def _is_of_cuda(name: str) -> bool:
    return owner(Entry(path=f"/usr/lib/{name}", kind="file", layer=0)) in _OF_CUDA


def _family(name: str) -> str:
    """What libraries that belong together begin with: ``libcudnn`` of ``libcudnn_ops.so.9``."""
    found = re.match(r"(libcudnn|libnvrtc|libnvinfer|libcufile|libcublas)", name)
    return found[1] if found else ""


def is_packaged(entry: Entry) -> bool:
    """Whether a library came with what uses it: in a package of Python or conda, or beside a program of its own."""
    return "-packages/" in entry.path or not _TOOLKIT.match(entry.path)


def kinds(links: Iterable[Link]) -> dict[str, list[Link]]:
    """Links by what they are to: ``cudart``, ``cuda`` for the rest of CUDA, ``cudnn``."""
    found: dict[str, list[Link]] = {}
    for link in links:
        part = owner(Entry(path=f"/usr/lib/{link.library}", kind="file", layer=0))
        found.setdefault("cudart" if link.library.startswith("libcudart.") else part, []).append(link)
    return found
