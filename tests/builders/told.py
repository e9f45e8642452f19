"""What all rules say of an image, in a shape that can be compared."""

from linkspan.image.model import Image
from linkspan.image.registry import Target, findings


def told(image: Image) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each finding's id, cause and paths."""
    return [(one.id, one.cause, one.paths) for one in findings(image, Target())]
