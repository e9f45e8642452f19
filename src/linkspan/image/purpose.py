"""Images that are there to bring a driver or the toolkit to a host: what is a fault elsewhere is their task.

They are known by the program that they start, which is nobody else's: NVIDIA's driver container runs ``nvidia-driver
init``, the toolkit's image ``nvidia-toolkit`` or ``nvidia-ctk-installer``. A label or a name would be anybody's.
"""

from typing import NamedTuple

from linkspan.image.model import Image


class Purpose(NamedTuple):
    """What such an image is, for people, and the program that tells so."""

    what: str
    program: str


_STARTED = {
    "nvidia-driver": "a driver container",
    "ocp_dtk_entrypoint": "a driver container",
    "nvidia-toolkit": "an image of the container toolkit",
    "nvidia-ctk-installer": "an image of the container toolkit",
}


def purpose(image: Image) -> Purpose | None:
    """What an image is for, where it brings a driver or toolkit to its host; None for every other one."""
    words = image.config.entrypoint or image.config.cmd
    path = words[0] if words else ""
    name = path.rpartition("/")[2]
    there = image.resolve(path) if path.startswith("/") else next(iter(image.by_name.get(name, ())), None)
    return Purpose(_STARTED[name], there.path) if there and name in _STARTED else None
