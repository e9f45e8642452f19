"""Which layer a package came with: a database is written anew by every layer that installs anything at all."""

from linkspan.image.databases import manager, records
from linkspan.image.model import Entry


class Arrivals:
    """The databases of the layers so far. ``known`` is as ``Image.arrivals`` has it."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, int]] = {}

    def note(self, entry: Entry) -> None:
        """Note a database as a layer has it; a package of another version than before came with this layer."""
        if entry.text and manager(entry.path):
            before = self._before(entry.path)
            names = (f"{one.name} {one.version}" for one in records(entry.path, entry.text))
            self.known[entry.path] = {name: before.get(name, entry.layer) for name in names}

    def _before(self, path: str) -> dict[str, int]:
        """What the manager's databases had before: one may have moved, or changed its form."""
        every = [known for other, known in self.known.items() if manager(other) == manager(path)]
        return {name: layer for known in (*every, self.known.get(path, {})) for name, layer in known.items()}
