"""cuDNN of the system and cuDNN of a Python package, of different versions."""

from collections.abc import Iterator

from linkspan.image.loading import loader
from linkspan.image.model import Image
from linkspan.image.parts import Part
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    parts = stack(image).of("cudnn")
    system = [part for part in parts if not part.site and len(part.numbers) > 1]
    for wheel in (part for part in parts if part.site and len(part.numbers) > 1):
        for own in system:
            if own.numbers[0] == wheel.numbers[0] and own.numbers[:2] < wheel.numbers[:2] and _wins(image, own):
                yield Broken(
                    cause=f"cuDNN {own.version} of LD_LIBRARY_PATH comes before {wheel.name} {wheel.version}",
                    fix="use an image without cudnn in its name: the Python package brings its own",
                    paths=(own.path, wheel.path),
                )


def _wins(image: Image, own: Part) -> bool:
    found = (image.resolve(f"{folder}/{own.name}.so.{own.numbers[0]}") for folder in loader(image).variable)
    return any(one is not None and one.path == own.path for one in found)


RULE = Rule(
    id="I-CUDA-11",
    title="an older cuDNN comes before that of the Python package",
    area="cuda",
    severity="error",
    why="The framework finds an older cuDNN than it was compiled with, and says 'cuDNN version incompatibility'.",
    look=_look,
)
