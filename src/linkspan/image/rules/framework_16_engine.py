"""A TensorRT engine in the image: it runs on one kind of GPU and with one version of TensorRT."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_ENDINGS = (".engine", ".plan", ".trt")
_LEAST = 100_000
"""Bytes; what is smaller is no engine, whatever its name."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    if not stack(image).of("tensorrt", "triton-server"):
        return
    found = [one for one in image.entries.values() if one.name.endswith(_ENDINGS) and one.size > _LEAST]
    if found:
        yield Broken(
            cause=f"{len(found)} engines of TensorRT are in the image, such as {found[0].path}",
            fix="build the engine at the first start, on the GPU itself, and keep it in a volume",
            paths=tuple(one.path for one in found),
        )


RULE = Rule(
    id="I-FRAMEWORK-16",
    title="a TensorRT engine is baked in",
    area="framework",
    severity="info",
    why="It is made for the very GPU and TensorRT that built it, and is refused elsewhere.",
    look=_look,
)
