"""The live view at the terminal: a box for each link, turning from waiting to holds or broken as the start goes on.

It is a textual app, and textual is an extra: only ``cli.explain_live`` imports this module, when it is asked to.
"""

from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from linkspan.explain import shown
from linkspan.explain.chain import Box
from linkspan.explain.joints import SIDES
from linkspan.explain.live import Follower, Phase, Step

PERIOD_S = 0.02
"""Between two looks: a start lasts 50 ms and more, and one look takes about one."""
_MARKS = {"holds": "✓", "broken": "✗", "doubtful": "!", "not reached": "–", "unknown": "?", "waiting": "…"}
_PHASES: dict[Phase, str] = {
    "waiting": "Waiting for a container to start.",
    "starting": "A container is starting.",
    "running": "It runs.",
    "ended": "It has ended.",
}


class Link(Static):
    """One box of the chain."""

    def tell(self, box: Box, phase: Phase, since: float | None) -> None:
        """Show what is known of the box now."""
        state = "waiting" if box.state == "unknown" and phase in {"waiting", "starting"} else box.state
        self.set_classes(state.replace(" ", "-"))
        after = f" after {since * 1000:.0f} ms" if since is not None and since > 0 else ""
        head = Text.assemble((f"{_MARKS[state]} ", "bold"), (box.title, "bold"), f"  {state}{after}")
        self.update(Text("\n").join((head, Text(shown.line(box.detail), style="dim"))))


class LiveApp(App[Step]):
    """Follows one container's start; ``q`` ends it and hands back the last step."""

    CSS = """
    Screen { background: $background; }
    #verdict { padding: 1 2 0 2; text-style: bold; }
    #phase { padding: 0 2 1 2; color: $text-muted; }
    .side { padding: 0 2; margin-top: 1; color: $text-muted; }
    Link { border: round $surface-lighten-2; margin: 0 2; padding: 0 1; height: 4; }
    Link.holds { border: round $success; }
    Link.broken { border: heavy $error; }
    Link.waiting { border: dashed $surface-lighten-2; }
    Link.doubtful { border: round $warning; }
    .-short #verdict { padding: 0 2; }
    .-short #phase { padding: 0 2; }
    .-short .side { margin: 0; }
    .-short Link { border: none; border-left: outer $surface-lighten-2; height: 2; }
    .-short Link.holds { border-left: outer $success; }
    .-short Link.broken { border-left: outer $error; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (44, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [("q", "leave", "Quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, follower: Follower, period_s: float = PERIOD_S) -> None:
        super().__init__()
        self._follower = follower
        self._period_s = period_s
        self._last = follower.step()
        self._shown: Step | None = None

    def compose(self) -> ComposeResult:
        """The sentence, the boxes side by side with where they stand, the keys."""
        yield Static(id="verdict")
        yield Static(id="phase")
        with VerticalScroll():
            side = ""
            for box in self._last.chain.boxes:
                if box.side != side:
                    yield Static(SIDES[box.side], classes="side")
                    side = box.side
                yield Link(id=f"box-{box.key}")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self._tell(self._last)
        self.set_interval(self._period_s, self._look)

    def action_leave(self) -> None:
        """Quit, with what was seen last."""
        self.exit(self._last)

    def _look(self) -> None:
        self._last = self._follower.step()
        if self._last != self._shown:
            self._tell(self._last)

    def _tell(self, step: Step) -> None:
        self._shown = step
        self.query_one("#verdict", Static).update(Text(shown.line(step.chain.verdict)))
        subject = shown.line(step.chain.subject)
        self.query_one("#phase", Static).update(Text(f"{_PHASES[step.phase]} {subject[:1].upper()}{subject[1:]}."))
        for box in step.chain.boxes:
            self.query_one(f"#box-{box.key}", Link).tell(box, step.phase, step.since.get(box.key))
