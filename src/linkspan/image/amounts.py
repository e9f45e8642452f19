"""Numbers of bytes in words."""

_UNITS = ("KB", "MB", "GB", "TB")


def size(number: int) -> str:
    """A number of bytes as people read it, by thousands as registries count: ``1.4 GB``."""
    value, unit = float(number), "bytes"
    for larger in _UNITS:
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    if unit == "bytes":
        return "1 byte" if number == 1 else f"{number} bytes"
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
