"""Files with credentials of whoever built the image."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_HOME = r"/(root|home/[^/]+)"
_FILE = re.compile(
    rf"{_HOME}/(\.netrc|\.pypirc|\.git-credentials|\.aws/credentials|\.docker/config\.json|\.kube/config|\.ssh/id_[a-z0-9]+"
    r"|\.cache/huggingface/(token|stored_tokens)|\.kaggle/kaggle\.json|\.ngc/config|\.config/gcloud/credentials\.db)"
)
_FIX = "revoke what it holds, and build with RUN --mount=type=secret: a layer keeps what a later one removes"


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for path, entry in image.entries.items():
        if entry.kind == "file" and entry.size and _FILE.fullmatch(path):
            yield Broken(cause=f"{path} holds credentials", fix=_FIX, paths=(path,))
    for one in image.hidden:
        if one.size and _FILE.fullmatch(one.path):
            cause = f"layer {one.layer} holds {one.path} with credentials, which layer {one.by} only hides"
            yield Broken(cause=cause, fix=_FIX, paths=(one.path,), layer=one.layer)


RULE = Rule(
    id="I-BASE-10",
    title="files with credentials",
    area="base",
    severity="error",
    why="Whoever can pull the image can read them, those of lower layers as well.",
    look=_look,
)
