"""The chain from application to hardware, as data: what the text, the page and the picture are drawn from."""

from typing import Literal

from linkspan.check.model import Evidence, Remedy
from linkspan.facts.model import Model

State = Literal["holds", "broken", "doubtful", "not reached", "unknown"]
Side = Literal["host", "bridge", "container"]


class Box(Model, frozen=True, kw_only=True):
    """A part of the chain.

    ``key`` is that of ``check.boundary.PARTS``; ``side`` where it stands. ``owner`` tells in words whose file it is
    ("host, mounted", "image layer sha256:12…"). ``finding`` is the id of the failure mode that breaks it.
    """

    key: str
    title: str
    side: Side
    state: State
    version: str = ""
    path: str = ""
    owner: str = ""
    detail: str = ""
    finding: str = ""
    remedy: Remedy | None = None
    evidence: tuple[Evidence, ...] = ()


class Chain(Model, frozen=True, kw_only=True):
    """The boxes from application (first) to GPU (last), and the verdict in one sentence.

    ``subject`` is what is explained: a container's name, a bundle's folder, an image with a request.
    """

    subject: str
    verdict: str
    works: bool | None
    boxes: tuple[Box, ...]

    @property
    def broken(self) -> Box | None:
        """The box nearest to the hardware that is broken: the one to mend first."""
        return next((box for box in reversed(self.boxes) if box.state == "broken"), None)
