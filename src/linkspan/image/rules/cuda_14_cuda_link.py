"""/usr/local/cuda that leads nowhere: everything that is configured by it finds nothing."""

from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_LINK = "/usr/local/cuda"
_INSIDE = ("", "/bin", "/bin/nvcc", "/compat", "/lib64", "/include", "/targets", "/version.json", "/version.txt")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    entry = image.get(_LINK)
    if entry is None or entry.kind != "link":
        return
    # Not every archive has entries for its folders, so what stands in them counts, too.
    if not any(image.resolve(f"{_LINK}{one}") for one in _INSIDE):
        kept = sorted({path.split("/")[3] for path in image.entries if path.startswith("/usr/local/cuda-")})
        yield Broken(
            cause=f"{_LINK} leads to {entry.target}, and nothing is there",
            fix=f"RUN ln -sfn /usr/local/{kept[-1]} {_LINK}" if kept else f"remove {_LINK}, or copy what it leads to",
            paths=(_LINK,),
        )


RULE = Rule(
    id="I-CUDA-14",
    title="/usr/local/cuda leads nowhere",
    area="cuda",
    severity="warning",
    why="The loader's configuration, PATH and the start's look for the compatibility package all go by that name.",
    look=_look,
)
