"""Layers one over the other, as a container sees them, and what of them no container sees.

Whiteouts count for the layers below only, wherever they stand in their own layer's archive (OCI image specification,
layer.md); so they come first. Then the entries, in order: of two with one path in a layer the later counts.
"""

from collections.abc import Iterable

from msgspec.structs import force_setattr, replace

from linkspan.image.arrivals import Arrivals
from linkspan.image.model import Entry, Hidden
from linkspan.image.names import Refusals
from linkspan.image.scan import Scan

_MAX_LINKS = 40


class Merge:
    """The layers so far."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._folders: set[str] = set()
        self.hidden: list[Hidden] = []
        self.refused: list[str] = []
        self.arrivals = Arrivals()

    def add(self, number: int, scan: Scan) -> None:
        """Lay a layer over those so far; the entries of the scan are used up."""
        self._remove(number, {self._real(path, {}) for path in scan.removed}, scan.emptied)
        layer = _Layer(self, number)
        hard_links = set(scan.hard_links)
        for place, entry in enumerate(scan.entries):
            force_setattr(entry, "layer", number)  # nobody else has seen it yet
            layer.add(entry, place in hard_links)
        self._remove_below(number, layer.replaced)
        self.refused += [f"layer {number}: {text}" for text in (*scan.refused, *layer.refusals.sentences())]

    def put(self, entry: Entry) -> bool:
        """Put an entry in its place; True where it takes that of a folder, which need not have an entry of its own."""
        path = entry.path
        self.entries[path] = entry
        if entry.text is not None:
            self.arrivals.note(entry)
        folder = path.rpartition("/")[0]
        while folder not in self._folders:
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]
        return entry.kind != "folder" and path in self._folders

    def hide(self, entry: Entry, by: int) -> None:
        """Note a file that is not seen any more."""
        if entry.kind == "file" and entry.size and not entry.target and entry.layer != by:
            self.hidden.append(Hidden(path=entry.path, layer=entry.layer, size=entry.size, by=by))

    def _remove(self, by: int, removed: set[str], emptied: Iterable[str]) -> None:
        folders = {self._real(path, {}, last=True) for path in emptied}
        if not removed and not folders:
            return
        below = _Below(removed | folders)
        for path in list(self.entries):
            if path in removed or below.covers(path):
                self.hide(self.entries.pop(path), by)

    def _remove_below(self, by: int, replaced: set[str]) -> None:
        """Whatever was in a folder that is now something else."""
        if replaced:
            below = _Below({path for path in replaced if self.entries[path].kind != "folder"})
            for path in list(self.entries):
                if below.covers(path):
                    self.hide(self.entries.pop(path), by)

    def _real(self, path: str, known: dict[str, str], last: bool = False) -> str:
        folder, _, name = path.rpartition("/")
        if last:
            return self.real_folder(path, known)
        return f"{self.real_folder(folder, known).rstrip('/')}/{name}"

    def real_folder(self, folder: str, known: dict[str, str]) -> str:
        """Where a folder's path leads in the layers so far; links that lead round in a circle are left as they are."""
        found = known.get(folder)
        if found is None:
            found = known[folder] = self._resolved(folder)
        return found

    def _resolved(self, path: str) -> str:
        done: list[str] = []
        ahead = [part for part in path.split("/") if part][::-1]
        links = 0
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            entry = self.entries.get("/".join(["", *done, part]))
            if entry is None or entry.kind != "link":
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                return path
            done = [] if entry.target.startswith("/") else done
            ahead += entry.target.split("/")[::-1]
        return "/" + "/".join(done)


class _Layer:
    """A layer while it is laid over the others."""

    def __init__(self, merge: Merge, number: int) -> None:
        self._merge = merge
        self._number = number
        self._folders: dict[str, str] = {}
        self._ways: set[str] = set()
        self.replaced: set[str] = set()
        self.refusals = Refusals()

    def add(self, entry: Entry, is_hard_link: bool) -> None:
        """Lay an entry over what is there."""
        entry = self._placed(entry)
        if is_hard_link:
            linked = self._linked(entry)
            if linked is None:
                return
            entry = linked
        old = self._merge.entries.get(entry.path)
        if old is not None:
            self._merge.hide(old, self._number)
        if entry.kind == "link" or (old is not None and old.kind == "link"):
            self._forget(entry.path)
        if self._merge.put(entry):
            self.replaced.add(entry.path)

    def _placed(self, entry: Entry) -> Entry:
        """The entry where engines put it: the folders on its way may be links (``/lib`` to ``/usr/lib``)."""
        folder, _, name = entry.path.rpartition("/")
        real = self._folders.get(folder)
        if real is None:
            real = self._known(folder)
        if real == (folder or "/"):
            return entry
        return replace(entry, path=f"{real.rstrip('/')}/{name}")

    def _known(self, folder: str) -> str:
        way = folder
        while way and way not in self._ways:
            self._ways.add(way)
            way = way.rpartition("/")[0]
        return self._merge.real_folder(folder, self._folders)

    def _linked(self, entry: Entry) -> Entry | None:
        folder, _, name = entry.target.rpartition("/")
        other = self._merge.entries.get(f"{self._known(folder).rstrip('/')}/{name}")
        if other is None or other.kind == "folder":
            self.refusals.add("it is a hard link to nothing in the image", entry.path)
            return None
        if other.path == entry.path:
            return None
        return replace(other, path=entry.path, layer=self._number, target=other.target or other.path)

    def _forget(self, path: str) -> None:
        """A link has come or gone: what is known of ways through it is void."""
        if path in self._ways:
            self._folders.clear()
            self._ways.clear()


class _Below:
    """Which paths are below one of some folders; every folder is asked about once."""

    def __init__(self, roots: set[str]) -> None:
        self._roots = roots
        self._known: dict[str, bool] = {"": "/" in roots}

    def covers(self, path: str) -> bool:
        """True below one of the folders; not for the folder itself."""
        known = self._known
        asked = []
        folder = path.rpartition("/")[0]
        while folder not in known and folder not in self._roots:
            asked.append(folder)
            folder = folder.rpartition("/")[0]
        found = folder in self._roots or known[folder]
        known.update(dict.fromkeys(asked, found))
        return found
