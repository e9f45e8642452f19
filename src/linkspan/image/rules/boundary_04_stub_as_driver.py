"""A stub under the name that the loader looks for: programs then find it in place of the driver."""

from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.layers import each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_NAMES = ("libcuda.so.1", "libnvidia-ml.so.1")
_FIX = "link with LIBRARY_PATH or -L, and remove the name again in the same RUN: && rm -f {path}"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for name in _NAMES:
        found = [entry for entry in image.by_name.get(name, []) if _is_stub(image, entry)]
        for entry in found:
            cause = "a stub has the name {names}, by which programs look for the driver"
            yield from each_layer([entry], cause, _FIX.format(path=entry.path))


def _is_stub(image: Image, entry: Entry) -> bool:
    if "/stubs/" in entry.path:
        return False  # no loader looks there by itself
    real = image.resolve(entry.path) if entry.kind == "link" else entry
    return real is not None and real.kind == "file" and driver.is_stub(real)


RULE = Rule(
    id="I-BOUNDARY-4",
    title="a stub stands in for the driver",
    area="boundary",
    severity="error",
    why="A stub has the driver's functions and none of its code: CUDA answers with error 34, NVML with a warning.",
    look=_look,
)
