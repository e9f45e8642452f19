"""A library that a program or module needs, and no file of the image nor the driver brings."""

from collections.abc import Iterator

from linkspan.image.cuda_libraries import is_of_cuda
from linkspan.image.layers import listed
from linkspan.image.loading import is_injected, is_own, is_whole, loader
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_OPTIONAL = ("/lib-dynload/", "-packages/nvidia/")
"""Python's own modules for tkinter and the like, which slim images leave without their libraries on purpose, and the
transports of NVIDIA's wheels (NVSHMEM over MPI or libfabric, cuFile over RDMA): one is chosen of those that load."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    missing, used = _missing(image), loader(image).used
    plugins: dict[str, list[str]] = {}
    for name, entries in sorted(missing.items()):
        started = [one for one in entries if one.path in used]
        plugins |= {one.path: [*plugins.get(one.path, []), name] for one in entries if one.path not in used}
        if started:
            runs = any(one.elf and one.elf.interpreter for one in started)
            yield Broken(
                cause=f"{name} is not in the image, and {started[0].path} needs it",
                fix=f"install the package that brings {name}, in the last stage of the build, too",
                paths=tuple(one.path for one in started),
                severity="error" if runs or is_of_cuda(name) else None,
            )
    if plugins:
        yield _of_plugins(plugins)


def _missing(image: Image) -> dict[str, list[Entry]]:
    missing: dict[str, list[Entry]] = {}
    for entry in (one for one in image.elves if is_whole(image) and is_own(one)):
        if any(place in entry.path for place in _OPTIONAL):
            continue
        for name in entry.elf.needs if entry.elf else ():
            # Libraries of CUDA that lack one another are another rule's, and so is ONNX Runtime's provider.
            is_told = (is_of_cuda(name) and is_of_cuda(entry.name)) or entry.name.startswith("libonnxruntime_providers")
            if not is_told and not is_injected(name) and not loader(image).is_anywhere(name):
                missing.setdefault(name, []).append(entry)
    return missing


def _of_plugins(plugins: dict[str, list[str]]) -> Broken:
    paths, several = list(plugins), len(plugins) > 1
    names = listed(name for needs in plugins.values() for name in needs)
    whose = (
        f"{len(paths)} libraries that nothing links to, such as {paths[0]}, need" if several else f"{paths[0]} needs"
    )
    return Broken(
        cause=f"{whose} {names}, not in the image" + ("" if several else ", and nothing links to it"),
        fix="nothing, unless the application opens them; then install what they need",
        paths=tuple(paths),
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
