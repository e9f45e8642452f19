"""Libraries with GPU code of which none runs on a GPU of the target."""

from collections.abc import Iterator

from linkspan.image.gpu_code import capability, code_for
from linkspan.image.holders import Holder, core, held, holders
from linkspan.image.layers import listed
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.runs import dropped

_Gpu = tuple[int, int]
_OF_TORCH = ("torch", "torchvision", "torchaudio")


def _look(image: Image, target: Target) -> Iterator[Broken]:
    for able in dict.fromkeys(target.capabilities):
        gpu = capability(able)
        if gpu:
            yield from _whole(image, able, gpu)
            yield from _parts(image, able, gpu)
            if not dropped(image, able):  # then another rule tells it of all of them
                yield from _of_cuda(image, able, gpu)


def _whole(image: Image, able: str, gpu: _Gpu) -> Iterator[Broken]:
    """What does not run at all; PyTorch is another rule's, which knows its builds."""
    bare = [one for one in holders(image) if one.name not in _OF_TORCH and one.code(gpu) == "none"]
    files = [one for one in bare if one.is_application]
    if files:
        first = files[0]
        fix = f"compile with -gencode arch=compute_{_number(gpu)},code=sm_{_number(gpu)}, or PTX for an older GPU"
        yield Broken(cause=_cause(first.name, first, able), fix=fix, paths=tuple(one.name for one in files))
    for one in bare:
        if not one.is_application:
            yield Broken(
                cause=_cause(one.name, one, able),
                fix=f"install a release of {one.name} that has code for it, or run it on a GPU that this one has",
                paths=tuple(entry.path for entry in one.entries),
                severity=None if one.is_framework else "warning",
            )


def _cause(name: str, one: Holder, able: str) -> str:
    return f"{name} has code for {_shown(one.architectures)}, and none that compute capability {able} runs"


def _parts(image: Image, able: str, gpu: _Gpu) -> Iterator[Broken]:
    """Libraries of packages that run without them; often a part that is for other generations on purpose."""
    partly = [one for one in holders(image) if one.code(gpu) != "none"]
    parts = [(one, part) for one in partly for part in one.bare(gpu)]
    if parts:
        _, first = parts[0]
        names = listed(part.name for _, part in parts)
        yield Broken(
            cause=f"parts of {listed(one.name for one, _ in parts)} lack code for compute capability {able}: {names}",
            fix=f"check what needs {first.name}; the rest of {parts[0][0].name} has code for that GPU",
            paths=tuple(part.path for _, part in parts),
            severity="warning" if any(one.name == "torch" for one, _ in parts) else "info",
        )


def _of_cuda(image: Image, able: str, gpu: _Gpu) -> Iterator[Broken]:
    bare = [one for one in core(image) if code_for(held(one), gpu) == "none"]
    if bare:
        yield Broken(
            cause=f"{bare[0].path} has code for {_shown(held(bare[0]))}, and none that compute capability {able} runs",
            fix=_cudnn_for(gpu) if bare[0].name.startswith("libcudnn") else "install CUDA libraries that have it",
            paths=tuple(one.path for one in bare),
        )


def _cudnn_for(gpu: _Gpu) -> str:
    # NVIDIA dropped Maxwell, Pascal and Volta with cuDNN 9.11, for CUDA 12, too.
    return "install nvidia-cudnn-cu12<9.11" if gpu < (7, 5) else "install the newest cuDNN"


def _shown(names: tuple[str, ...]) -> str:
    return listed(names, 8)


def _number(gpu: _Gpu) -> str:
    return f"{gpu[0]}{gpu[1]}"


RULE = Rule(
    id="I-TARGET-4",
    title="no code for the GPU",
    area="target",
    severity="error",
    why="Its first kernel fails: 'no kernel image is available for execution on the device'.",
    look=_look,
)
