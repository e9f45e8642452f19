"""Archives and repositories out of which something was installed."""

import re
from collections.abc import Iterator

from linkspan.image.layers import LEAST, each_layer
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Broken, Rule, Target

_REPOSITORY = re.compile(
    r"/var/(cuda-repo|nvidia-driver-local-repo|cudnn-local-repo|nccl-local-repo|nv-[^/]*repo)[^/]*/.+"
)
_ARCHIVE = re.compile(
    r"(/(tmp|root|opt|home|build|workspace|app|usr/src|usr/local/src)/.+|/[^/]+)\.(deb|rpm|whl|tgz|tar(\.\w+)?)"
)
_FIX = "fetch, unpack and remove it in one RUN, or RUN --mount=type=bind,source=… instead of COPY"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = (entry for entry in image.entries.values() if _is_archive(entry))
    yield from each_layer(found, "what was installed from is still in the image: {names} ({bytes})", _FIX)


def _is_archive(entry: Entry) -> bool:
    large = entry.kind == "file" and entry.size >= LEAST and "/pkgs/" not in entry.path and "/.cache/" not in entry.path
    return large and bool(_REPOSITORY.fullmatch(entry.path) or _ARCHIVE.fullmatch(entry.path))


RULE = Rule(
    id="I-WEIGHT-9",
    title="archives that were unpacked already",
    area="weight",
    severity="warning",
    why="Their content is in the image twice, packed and unpacked.",
    look=_look,
)
