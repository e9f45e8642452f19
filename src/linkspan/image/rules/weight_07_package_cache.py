"""What package managers of the distribution keep: lists and packages that were installed already."""

import re
from collections.abc import Iterator

from linkspan.image.layers import LEAST, each_layer, weight
from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_CACHES = (
    (
        re.compile(r"/var/lib/apt/lists/[^/]+|/var/cache/apt/(archives/.+\.deb|(src)?pkgcache\.bin)"),
        "RUN apt-get update && apt-get install … && rm -rf /var/lib/apt/lists/* /var/cache/apt, in one RUN",
    ),
    (re.compile(r"/var/cache/(yum|dnf|libdnf5|zypp)/.+"), "RUN dnf install … && dnf clean all, in one RUN"),
    (re.compile(r"/(var/cache|etc)/(apk|apk/cache)/.+\.(apk|tar\.gz)"), "RUN apk add --no-cache …"),
)


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for pattern, fix in _CACHES:
        found = [entry for path, entry in image.entries.items() if entry.kind == "file" and pattern.fullmatch(path)]
        if weight(found) >= LEAST:
            yield from each_layer(found, "the package manager's cache ({bytes}) is in the image: {names}", fix)


RULE = Rule(
    id="I-WEIGHT-7",
    title="the package manager's cache",
    area="weight",
    severity="warning",
    why="The lists are old the day after, and what was installed from the packages is in the image a second time.",
    look=_look,
)
