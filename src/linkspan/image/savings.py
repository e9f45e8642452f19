"""What an image could do without, and the bytes that it would save."""

from collections.abc import Iterator, Sequence

from linkspan.check import cuda
from linkspan.facts.model import Model
from linkspan.image.model import Entry, Image
from linkspan.image.owners import Owner, owner, weight
from linkspan.image.registry import Target
from linkspan.image.wants import Wants, is_packaged

_PATHS = 5
_LEAST = 10**6
"""Bytes of caches that are worth a word: every image has a few in /var/cache."""


class Saving(Model, frozen=True, kw_only=True, omit_defaults=False):
    """Something to leave out: its bytes and files, a few of their paths, the layers that bring it, and how."""

    key: str
    title: str
    how: str
    bytes: int
    files: int
    paths: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()


def savings(image: Image, wants: Wants, target: Target, cuda_version: str) -> tuple[Saving, ...]:
    """The savings, the largest first; no byte is counted twice."""
    by_owner: dict[Owner, list[Entry]] = {}
    for entry in image.entries.values():
        if weight(entry):
            by_owner.setdefault(owner(entry), []).append(entry)
    found = [
        *_by_owner(by_owner, wants),
        *_compat(by_owner.get("compat", []), target, cuda_version),
        *_unlinked(wants),
        *_hidden(image),
    ]
    return tuple(sorted(found, key=lambda one: (-one.bytes, one.key)))


def _by_owner(by_owner: dict[Owner, list[Entry]], wants: Wants) -> Iterator[Saving]:
    caches = sum(map(weight, by_owner.get("caches", ())))
    c_is_needless = not wants.compiling and "triton" not in wants.packages  # Triton calls a C compiler
    rows: tuple[tuple[Owner, str, str, bool], ...] = (
        ("driver", "files of the driver and the container toolkit",
         "do not install them; the host's come with the start of a container", True),
        ("tools", "CUDA's compiler, headers and profilers",
         "build in a stage FROM a devel image, and COPY --from it what was built", not wants.compiling),
        ("compilers", "compilers and build tools",
         "build in an earlier stage, and COPY --from it what was built", c_is_needless),
        ("caches", "caches of package managers",
         "remove them in the RUN that makes them, or give it --mount=type=cache", caches >= _LEAST),
    )  # fmt: skip
    for key, title, how, needless in rows:
        if needless and by_owner.get(key):
            yield _saving(key, title, how, by_owner[key])


def _compat(entries: Sequence[Entry], target: Target, cuda_version: str) -> Iterator[Saving]:
    """The compatibility package, where the driver is known to be new enough."""
    native = cuda.cuda_of(target.driver) if target.driver else ""
    if entries and native and cuda_version and not cuda.older(native, cuda_version):
        how = f"remove the package cuda-compat: driver {target.driver} runs CUDA {cuda_version} by itself"
        yield _saving("compat", "CUDA's compatibility package", how, entries)


def _unlinked(wants: Wants) -> Iterator[Saving]:
    """Libraries of the toolkit that no program links to, where no program is known to open them by name."""
    if wants.compiling or (wants.opening and not wants.packaged):
        return
    idle = [one for one in wants.libraries if not is_packaged(one) and one.path not in wants.used and weight(one)]
    if idle:
        how = "begin with a smaller variant, and install what is linked to; see first that nothing opens them by name"
        yield _saving("unlinked", "CUDA's libraries that no program links to", how, idle)


def _hidden(image: Image) -> Iterator[Saving]:
    if total := sum(one.size for one in image.hidden):
        largest = sorted(image.hidden, key=lambda one: (-one.size, one.path))
        yield Saving(
            key="hidden",
            title="files that a later layer covers or removes",
            how="remove a file in the RUN that makes it; a later one only hides it",
            bytes=total,
            files=len(image.hidden),
            paths=tuple(one.path for one in largest[:_PATHS]),
            layers=tuple(sorted({one.layer for one in image.hidden})),
        )


def _saving(key: str, title: str, how: str, entries: Sequence[Entry]) -> Saving:
    largest = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    return Saving(
        key=key,
        title=title,
        how=how,
        bytes=sum(map(weight, entries)),
        files=len(entries),
        paths=tuple(entry.path for entry in largest[:_PATHS]),
        layers=tuple(sorted({entry.layer for entry in entries})),
    )
