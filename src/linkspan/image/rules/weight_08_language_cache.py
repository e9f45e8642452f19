"""What pip, uv, conda and compilers keep for another time, which never comes in an image."""

import re
from collections.abc import Iterator

from linkspan.image.layers import LEAST, each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_HOME = r"(/root|/home/[^/]+|/tmp)"
_CACHES = (
    (
        re.compile(rf"{_HOME}/\.cache/pip/.+"),
        "RUN pip install --no-cache-dir …, or --mount=type=cache,target=/root/.cache/pip",
    ),
    (re.compile(rf"{_HOME}/\.cache/uv/.+"), "RUN --mount=type=cache,target=/root/.cache/uv uv pip install …"),
    (
        re.compile(r"/opt/[^/]*conda[^/]*/pkgs/.+|/root/[^/]*conda[^/]*/pkgs/.+"),
        "RUN conda install … && conda clean -afy, in one RUN",
    ),
    (
        re.compile(
            rf"{_HOME}/(\.npm|\.cargo/registry|\.cache/(ccache|bazel|go-build|yarn)|\.ccache|go/pkg/mod|\.nv/ComputeCache)/.+"
        ),
        "RUN --mount=type=cache for the cache, or remove it in the RUN that filled it",
    ),
)


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for pattern, fix in _CACHES:
        found = [entry for path, entry in image.entries.items() if entry.kind == "file" and pattern.fullmatch(path)]
        if weight(found) >= LEAST:
            yield from each_layer(found, "a cache of a build ({bytes}) is in the image: {names}", fix)


RULE = Rule(
    id="I-WEIGHT-8",
    title="caches of pip, conda and compilers",
    area="weight",
    severity="warning",
    why="A framework with its CUDA is gigabytes, and its cache as many again.",
    look=_look,
)
