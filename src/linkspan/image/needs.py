"""What an image's programs need of the driver, and what its variables ask for."""

from collections.abc import Collection, Iterator

from linkspan.image.applications import is_application
from linkspan.image.model import Entry, Image
from linkspan.plan.capabilities import VARIABLE, hook_default
from linkspan.plan.model import CAPABILITIES
from linkspan.plan.sources import is_legacy_image


def needing(image: Image, sonames: Collection[str]) -> list[Entry]:
    """The programs and libraries that link with one of these, neither the driver nor the distribution's own."""
    return [
        one for one in image.elves if is_application(one) and one.elf and not set(sonames).isdisjoint(one.elf.needs)
    ]


def granted(image: Image) -> frozenset[str]:
    """The capabilities that a start of this image grants where nobody says otherwise."""
    words = set(capability_words(image))
    if not words:
        words = set(hook_default(CAPABILITIES, legacy_image=is_legacy_image(image.config.variables)))
    return frozenset(CAPABILITIES) if "all" in words else frozenset(words)


def capability_words(image: Image) -> tuple[str, ...]:
    """What the image's variable names, as it stands there, blanks left out."""
    words = (word.strip() for word in image.config.variables.get(VARIABLE, "").split(","))
    return tuple(word for word in words if word)


def loader_path(image: Image) -> Iterator[str]:
    """The folders of LD_LIBRARY_PATH in their order, an empty one for an empty word, where it is set."""
    value = image.config.variables.get("LD_LIBRARY_PATH", "")
    return iter(value.replace(";", ":").split(":") if value else ())
