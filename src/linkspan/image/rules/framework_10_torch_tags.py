"""torchvision or torchaudio of another build than PyTorch: for another CUDA, or for none."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for packages in stack(image).sites.values():
        torch = packages.get("torch")
        for one in (packages[name] for name in ("torchvision", "torchaudio") if name in packages):
            if torch and torch.local and one.local and torch.local != one.local:
                yield Broken(
                    cause=f"{one.name} {one.version} is of another build than torch {torch.version}",
                    fix="RUN pip install torch torchvision torchaudio with one command and one --index-url",
                    paths=(one.path, torch.path),
                )


RULE = Rule(
    id="I-FRAMEWORK-10",
    title="torch and its companions are of different builds",
    area="framework",
    severity="error",
    why="Their operators do not register: 'operator torchvision::nms does not exist'.",
    look=_look,
)
