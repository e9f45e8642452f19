"""onnxruntime and onnxruntime-gpu in one folder: they share a folder of files, and the later one won."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for packages in stack(image).sites.values():
        both = [packages[name] for name in ("onnxruntime", "onnxruntime-gpu") if name in packages]
        if len(both) > 1:
            yield Broken(
                cause=f"onnxruntime {both[0].version} and onnxruntime-gpu {both[1].version} are both installed",
                fix="RUN pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu=="
                + both[1].version,
                paths=tuple(one.path for one in both),
            )


RULE = Rule(
    id="I-FRAMEWORK-6",
    title="onnxruntime and onnxruntime-gpu are both installed",
    area="framework",
    severity="error",
    why="Both write into the folder onnxruntime: CUDAExecutionProvider is there or not by the order of installation.",
    look=_look,
)
