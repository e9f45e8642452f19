"""Names of an archive's members as paths of an image, and those that are none."""

from linkspan.image import limits


def normal(name: str) -> str | None:
    """A member's name as an absolute, normal path; None where it leads out or can be no path.

    A leading slash is no way out: every name counts from the image's root, as it does for engines.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or len(name) > limits.PATH or max(map(len, parts), default=0) > limits.NAME:
        return None
    return "/" + "/".join(parts)


class Refusals:
    """Sentences on what was left out: one for each reason, with the first names and how many there are."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, list[str]]] = {}

    def add(self, reason: str, name: str) -> None:
        """Note a member that was left out."""
        if reason not in self._found and len(self._found) >= limits.REFUSALS:
            reason = "it is one fault too many"
        count, names = self._found.get(reason, (0, []))
        if len(names) < 3:
            names.append(name[:120])
        self._found[reason] = (count + 1, names)

    def sentences(self) -> list[str]:
        """What was left out and why."""
        return [_sentence(reason, *found) for reason, found in self._found.items()]


def _sentence(reason: str, count: int, names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names)
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return f"{shown}{more}: {reason}"
