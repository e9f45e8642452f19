"""Extension modules for another Python than the one whose folder they stand in."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target

_SITE = re.compile(r"(?P<site>.*/python3\.(?P<minor>\d+)t?/(?:site|dist)-packages)/(?P<package>[^/]+)/")
_TAG = re.compile(r".+\.cpython-3(?P<minor>\d+)t?-[^/]*\.so")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    modules: dict[tuple[str, str, int], dict[int, str]] = {}
    for entry in image.entries.values():
        place, tag = _SITE.match(entry.path), _TAG.fullmatch(entry.name)
        if place and tag:
            key = (place["site"], place["package"], int(place["minor"]))
            modules.setdefault(key, {}).setdefault(int(tag["minor"]), entry.path)
    for (site, package, minor), found in sorted(modules.items()):
        # A package may bring modules for several Pythons; wrong is one that has none for this.
        if minor not in found:
            yield Broken(
                cause=f"{package} in {site} is for Python 3.{min(found)}",
                fix=f"RUN python3.{minor} -m pip install --force-reinstall {package}",
                paths=tuple(found.values()),
            )


RULE = Rule(
    id="I-FRAMEWORK-12",
    title="extension modules of another Python",
    area="framework",
    severity="error",
    why="Python does not see them: 'No module named ..._C'. A builder stage with another Python does that.",
    look=_look,
)
