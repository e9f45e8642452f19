"""Dotted numeric versions, as drivers and CUDA have them: ``550.163.01``, ``12.4``."""

LONGEST = 64
"""Characters; a driver's version has about ten. Bounds the cost of turning a stranger's digits into numbers."""


def parse(text: str) -> "tuple[int, ...] | None":
    """The numbers of a version, or None where the text is not digits and single dots.

    Leading zeros have no meaning: ``535.05`` is ``(535, 5)``.
    """
    parts = text.split(".")
    if len(text) > LONGEST or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return tuple(map(int, parts))


def release(text: str) -> str:
    """The first two numbers, by which releases of CUDA are called: ``12.4`` of ``12.4.127``; ``12`` stays as it is."""
    return ".".join(text.split(".")[:2])


def compare(a: "tuple[int, ...]", b: "tuple[int, ...]") -> int:
    """Below, equal to or above zero as ``a`` is older than, equal to or newer than ``b``; missing parts count as 0."""
    length = max(len(a), len(b))
    left, right = a + (0,) * (length - len(a)), b + (0,) * (length - len(b))
    return (left > right) - (left < right)
