"""A package of the driver is installed, by whichever package manager."""

from collections.abc import Iterator

from linkspan.image import driver
from linkspan.image.layers import listed
from linkspan.image.model import Image
from linkspan.image.packages import first_layer, named
from linkspan.image.registry import Broken, Rule, Target

_SYSTEM = ("dpkg", "rpm", "apk", "conda")
"""What pip installs under such names, ``nvidia-smi`` and ``nvidia-settings``, is Python that asks a driver."""


def _look(image: Image, _: Target) -> Iterator[Broken]:
    for manager in _SYSTEM:
        found = named(image, driver.PACKAGES, manager)
        if found:
            words = listed(package.name for package in found)
            yield Broken(
                cause=f"packages of the driver are installed by {manager}: {words}",
                fix=f"take {words} out of the image, and what depends on it; apt wants --no-install-recommends"
                if manager == "dpkg"
                else f"take {words} out of the image, and what depends on it",
                paths=tuple(dict.fromkeys(package.path for package in found if package.path)),
                layer=first_layer(found),
            )


RULE = Rule(
    id="I-BOUNDARY-11",
    title="packages of the driver are installed",
    area="boundary",
    severity="error",
    why="Each upgrade of the image brings another driver, and none of them is the one whose kernel module is loaded.",
    look=_look,
)
