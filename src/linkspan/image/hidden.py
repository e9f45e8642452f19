"""What lower layers hold and no container sees, by the two layers that it lies between."""

from linkspan.image.model import Hidden, Image


def grouped(image: Image, *, again: bool) -> list[tuple[tuple[int, int], list[Hidden]]]:
    """The hidden files by the layer that has them and the one that hides them, the largest first.

    ``again``: those which are there again in the same size, their owner or mode being changed; otherwise the rest.
    """
    groups: dict[tuple[int, int], list[Hidden]] = {}
    for one in image.hidden:
        if _is_again(image, one) == again:
            groups.setdefault((one.layer, one.by), []).append(one)
    return sorted((key, sorted(found, key=lambda one: (-one.size, one.path))) for key, found in groups.items())


def _is_again(image: Image, one: Hidden) -> bool:
    entry = image.get(one.path)
    return entry is not None and entry.kind == "file" and entry.size == one.size and entry.layer == one.by
