"""The table of responsibilities, filled in with what is there: which part is on its side, and which is not."""

from typing import Literal

from linkspan.check.boundary import PARTS, Owner, Part
from linkspan.check.inventory import Inventory
from linkspan.check.pieces import Piece, is_wrong
from linkspan.facts.model import Model

Subject = Literal["folder", "bundle", "container"]
Verdict = Literal["right side", "wrong side", "missing"]
"""``right side`` is also said of what is absent and has to be."""

_NEVER_INSIDE = frozenset({"module", "bridge"})
"""Parts of the host that no container has, running or not."""


class Row(Model, frozen=True, kw_only=True):
    """A part, whose it should be, what was found of it, and the verdict; ``wrong`` are the paths on the wrong side."""

    key: str
    title: str
    owner: Owner
    verdict: Verdict
    why: str
    found: tuple[Piece, ...] = ()
    wrong: tuple[str, ...] = ()


class Boundary(Model, frozen=True, kw_only=True):
    """The whole table. ``gaps`` are sentences on what could not be looked at; ``entries`` how many files were."""

    subject: str
    kind: Subject
    entries: int
    gaps: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def is_right(self) -> bool:
        """Whether nothing stands on the wrong side."""
        return all(row.verdict != "wrong side" for row in self.rows)


def judge(subject: str, kind: Subject, inventory: Inventory) -> Boundary:
    """The table for what was found."""
    rows = tuple(_row(part, kind, inventory.pieces) for part in PARTS)
    return Boundary(subject=subject, kind=kind, entries=inventory.entries, gaps=inventory.gaps, rows=rows)


def _row(part: Part, kind: Subject, pieces: tuple[Piece, ...]) -> Row:
    found = tuple(piece for piece in pieces if piece.part == part.key)
    wrong = tuple(piece.path for piece in found if is_wrong(piece, part.owner))
    return Row(
        key=part.key,
        title=part.title,
        owner=part.owner,
        verdict="wrong side" if wrong else _absence(part, kind) if not _there(found) else "right side",
        why=part.why,
        found=found,
        wrong=wrong,
    )


def _there(found: tuple[Piece, ...]) -> bool:
    """Whether the part itself is there, and not only something that goes by its name."""
    return any(piece.kind in {"file", "node"} for piece in found)


def _absence(part: Part, kind: Subject) -> Verdict:
    """What it means that nothing was found: before its start, a container is right to have nothing of the host's."""
    if part.key in _NEVER_INSIDE or (part.owner != "image" and kind != "container"):
        return "right side"
    return "missing"
