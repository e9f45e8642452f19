"""ONNX Runtime whose CUDA provider does not find the libraries that it links with."""

from collections.abc import Iterator

from linkspan.image.loading import is_injected, is_whole, loader
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_PROVIDERS = ("libonnxruntime_providers_cuda.so", "libonnxruntime_providers_tensorrt.so")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    providers = _PROVIDERS if stack(image).of("tensorrt") else _PROVIDERS[:1]  # nobody means to use it without TensorRT
    for entry in (one for name in providers for one in image.by_name.get(name, ()) if is_whole(image)):
        needs = entry.elf.needs if entry.elf else ()
        beside = {other.name for other in image.entries.values() if other.folder == entry.folder}
        missing = [
            one for one in needs if not is_injected(one) and one not in beside and not loader(image).find(one, entry)
        ]
        if missing:
            yield Broken(
                cause=f"{entry.name} does not find {', '.join(missing)}",
                fix=_fix(image, missing),
                paths=(entry.path,),
                severity=None if "cuda" in entry.name else "info",
            )


def _fix(image: Image, missing: list[str]) -> str:
    found = [one for name in missing for one in image.by_name.get(name, ())]
    if len({one.name for one in found}) == len(missing):
        folders = ":".join(dict.fromkeys(one.folder for one in found))
        return f"call onnxruntime.preload_dlls(), import torch first, or ENV LD_LIBRARY_PATH={folders}"
    return "RUN pip install 'onnxruntime-gpu[cuda,cudnn]', or use a cudnn-runtime base of the CUDA that it links with"


RULE = Rule(
    id="I-FRAMEWORK-7",
    title="ONNX Runtime does not find CUDA's libraries",
    area="framework",
    severity="error",
    why="It falls back to the processor: 'Failed to create CUDAExecutionProvider', a warning in the log and no more.",
    look=_look,
)
