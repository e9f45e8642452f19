"""The CUDA stack of an image, by its files alone: runtime and libraries, cuDNN, NCCL, TensorRT, and frameworks.

Which CUDA is in an image is answered here and nowhere else: ``Stack.told`` has all that tells it.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from linkspan.check.cuda_names import cuda_major
from linkspan.check.inside import version_of
from linkspan.formats import versions
from linkspan.image import distributions
from linkspan.image.applications import is_application
from linkspan.image.cuda_libraries import is_cudas_own
from linkspan.image.distributions import Distribution
from linkspan.image.model import Entry, Image
from linkspan.image.packages import wheels
from linkspan.image.parts import Key, Part, of_distribution, of_system

_LINKED = re.compile(
    r"lib(cuda|cudart|cublas(Lt)?|cudnn|nccl|cufft|curand|cusparse|cusolver|nvrtc|nvJitLink|nvinfer)\.so(\.\d+)*"
)
_COMPUTING = re.compile(
    r"(cupy-cuda\d+x|jax-cuda\d+-plugin|onnxruntime-gpu|numba-cuda|vllm|sglang|paddlepaddle-gpu|faiss-gpu(-cu\d+)?)"
)
_COMPAT = re.compile(r"/(?:cuda[^/]*/compat|cuda-compat)/libcuda\.so\.\d{3}\.[\d.]+$")
_TORCH_CUDA = re.compile(r"^cuda\s*(?::[^=\n]*)?=\s*['\"]([\d.]+)['\"]", re.MULTILINE)
_TAG = re.compile(r"cu(\d{2})(\d)")


class Told(NamedTuple):
    """A version of CUDA (``12.4``; ``12`` where only the major one is known), and what tells it, for people.

    ``path`` is the entry that tells it, empty for a variable; ``site`` as in ``Part``.
    """

    version: str
    source: str
    path: str = ""
    site: str = ""

    @property
    def order(self) -> tuple[int, ...]:
        """The version as numbers."""
        return versions.parse(self.version) or ()


class Stack:
    """What an image has of CUDA and of frameworks, found out once."""

    def __init__(self, image: Image) -> None:
        self.image = image

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """The Python packages."""
        return tuple(distributions.read(self.image))

    @cached_property
    def sites(self) -> dict[str, dict[str, Distribution]]:
        """The Python packages of each folder of packages, by name."""
        found: dict[str, dict[str, Distribution]] = {}
        for one in self.distributions:
            found.setdefault(one.site, {})[one.name] = one
        return found

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All parts: those of the system by path, then those of Python packages."""
        system = sorted(of_system(self.image), key=lambda part: part.path)
        return (*system, *(part for one in self.distributions for part in of_distribution(one)))

    def of(self, *keys: Key) -> list[Part]:
        """The parts of these kinds."""
        return [part for part in self.parts if part.key in keys]

    @cached_property
    def runtimes(self) -> list[Part]:
        """The CUDA runtimes, the newest first."""
        return sorted(self.of("cudart"), key=lambda part: part.numbers, reverse=True)

    @cached_property
    def majors(self) -> frozenset[int]:
        """The CUDA major versions of the runtimes that the image has."""
        return frozenset(part.cuda for part in self.runtimes if part.cuda)

    @cached_property
    def is_cuda_image(self) -> bool:
        """True where the image is made to compute on a GPU: it brings CUDA, or says so by NVIDIA's own variable."""
        return bool(self.runtimes) or bool(self.image.config.variables.get("CUDA_VERSION"))

    @cached_property
    def compat(self) -> Entry | None:
        """The libcuda of the compatibility package, the newest where there are several."""
        files = (one for one in self.image.entries.values() if one.size and one.kind == "file")
        return max(
            filter(lambda one: _COMPAT.search(one.path), files),
            key=lambda one: versions.parse(version_of(one.path)) or (),
            default=None,
        )

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """What tells the CUDA of the image, the surest kind first, and of a kind the newest version first.

        Runtimes with their version, and what PyTorch was built with; the variable of NVIDIA's base images; runtimes of
        which the major version alone is known; and last what programs link to, which the image may not even have.
        """
        files = [*self._of_runtimes(), *self._of_builds()]
        kinds = (files, self._of_variable(), self._of_majors(), self._of_links())
        ordered = (sorted(kind, key=lambda one: one.order, reverse=True) for kind in kinds)
        return tuple(dict.fromkeys(one for kind in ordered for one in kind))

    @cached_property
    def cuda(self) -> str:
        """The newest CUDA of the image, ``12.4.127`` or ``12.4``; just ``12`` where no more is told; empty without."""
        return self.told[0].version if self.told else ""

    @cached_property
    def release(self) -> str:
        """The newest CUDA of the image as CUDA's releases are called, ``12.4``; empty where that is not known."""
        return versions.release(self.cuda) if "." in self.cuda else ""

    @property
    def called(self) -> str:
        """The newest CUDA as people call it: its release, ``12.4``, or the major version where no more is known."""
        return self.release or self.cuda

    @cached_property
    def system_release(self) -> str:
        """The newest CUDA that stands outside of Python's packages, ``12.4``; empty where there is none."""
        own = (one.version for one in self._of_runtimes() if not one.site)
        newest = max(own, key=lambda version: versions.parse(version) or (), default="")
        return versions.release(newest)

    @cached_property
    def linking(self) -> tuple[Entry, ...]:
        """The application's programs and libraries that link with CUDA, or with the driver."""
        found = (one for one in self.image.elves if one.elf and any(map(_LINKED.fullmatch, one.elf.needs)))
        return tuple(one for one in found if is_application(one) and not is_cudas_own(one.path))

    @cached_property
    def uses_cuda(self) -> bool:
        """True where the image computes on a GPU: it brings CUDA, links with it, or has a framework that does."""
        names = {one.name for one in self.distributions}
        return bool(self.runtimes or self.linking) or any(map(_COMPUTING.fullmatch, names | wheels(self.image)))

    def _of_runtimes(self) -> Iterator[Told]:
        for part in self.runtimes:
            if len(part.numbers) > 1:
                source = f"{part.name} {part.version}" if part.site else part.path
                yield Told(part.version, source, part.path, part.site)

    def _of_builds(self) -> Iterator[Told]:
        for one in self.distributions:
            version = self.torch_cuda(one.site) if one.name == "torch" else _tagged(one)
            if version:
                yield Told(version, f"{one.name} {one.version}", one.path, one.site)

    def _of_variable(self) -> Iterator[Told]:
        version = self.image.config.variables.get("CUDA_VERSION", "")
        if versions.parse(version):
            yield Told(version, "CUDA_VERSION")

    def _of_majors(self) -> Iterator[Told]:
        known = {one.order[:1] for one in (*self._of_runtimes(), *self._of_builds())}
        vague = (part for part in self.runtimes if part.cuda and len(part.numbers) < 2)
        return (Told(str(part.cuda), part.path, part.path, part.site) for part in vague if (part.cuda,) not in known)

    def _of_links(self) -> Iterator[Told]:
        for one in self.linking:
            major = max(map(cuda_major, one.elf.needs if one.elf else ()), default=0)
            if major:
                yield Told(str(major), one.path, one.path)

    def torch_cuda(self, site: str) -> str:
        """The CUDA that PyTorch of a folder of packages was built with, ``12.1``; empty without one."""
        torch = self.sites.get(site, {}).get("torch")
        file = self.image.get(f"{site}/torch/version.py")
        told = _TORCH_CUDA.search(file.text or "") if torch and file else None
        return (_tagged(torch) if torch else "") or (told[1] if told else "")


def _tagged(one: Distribution) -> str:
    """The CUDA that a package's version tells it was built with: ``12.1`` of ``2.4.0+cu121``."""
    tag = _TAG.fullmatch(one.local)
    return f"{tag[1]}.{tag[2]}" if tag else ""


def stack(image: Image) -> Stack:
    """The stack of an image; it stays with the image, since some forty rules ask for it."""
    return image.kept(Stack)
