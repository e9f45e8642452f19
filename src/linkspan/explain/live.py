"""A container's start, followed as it happens: the chain from each look to the next, and when each link came to hold.

This module knows no terminal and no clock but the one that it is given; ``live_app`` shows what it says.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from linkspan.explain import live_look
from linkspan.explain.chain import Box, Chain, Side, State
from linkspan.explain.live_look import Seen

SETTLED_S = 1.0
"""So long after the program's start nothing more is brought across; a link that is not there by then is broken."""

Phase = Literal["waiting", "starting", "running", "ended"]


class Step(NamedTuple):
    """One look: the phase, the chain, and for each box that holds the seconds after which it did, by its key."""

    phase: Phase
    chain: Chain
    since: dict[str, float]


class Host(NamedTuple):
    """What of the host is known beforehand: its driver's version (empty: none is loaded) and its devices' majors."""

    driver: str
    majors: frozenset[int]


class Wanted(NamedTuple):
    """What is to be followed: a process, or else the next container, of whose cgroup ``within`` is a part."""

    pid: int = 0
    within: str = ""


_THE_NEXT = Wanted()


class Follower:
    """Waits for a container, or takes the process that it is given, and follows it to its end."""

    def __init__(self, host: Host, clock: Callable[[], float], wanted: Wanted = _THE_NEXT, proc: str = "/proc") -> None:
        self._host = host
        self._clock = clock
        self._proc = proc
        self._pid = wanted.pid
        self._within = wanted.within
        self._known = live_look.processes(proc)
        self._ours = live_look.namespaces("self", proc)
        self._seen: Seen | None = None
        self._began = clock()
        self._started: float | None = None
        self._since: dict[str, float] = {}
        self._ended = False

    def step(self) -> Step:
        """Look once."""
        if not self._pid:
            self._wait()
        if self._pid and not self._ended:
            self._follow()
        chain = chain_of(self._seen, self._host, settled=self._is_settled())
        self._note(chain)
        return Step(self._phase(), chain, dict(self._since))

    def _wait(self) -> None:
        """Look for a new process in namespaces of its own; one that is still on its way to them is looked at again."""
        now = live_look.processes(self._proc)
        if self._ours:
            self._pid = live_look.first_container(now - self._known, self._ours, self._proc, self._within)
        if self._pid:
            self._began = self._clock()

    def _follow(self) -> None:
        seen = live_look.look(self._pid, self._proc, self._host.majors)
        if seen is None:
            self._ended = True
            return
        self._seen = seen
        if seen.program and self._started is None:
            self._started = self._clock()

    def _is_settled(self) -> bool:
        waited = self._started is not None and self._clock() - self._started >= SETTLED_S
        return self._ended or waited

    def _phase(self) -> Phase:
        if self._ended:
            return "ended"
        return "waiting" if self._seen is None else "running" if self._started is not None else "starting"

    def _note(self, chain: Chain) -> None:
        for box in chain.boxes:
            if box.state == "holds" and self._seen is not None:
                self._since.setdefault(box.key, self._clock() - self._began)


def chain_of(seen: Seen | None, host: Host, *, settled: bool) -> Chain:
    """The chain after a look; what is not there is waited for until the start has settled, then it is broken."""
    there = seen or Seen(0)
    asked = there.request not in {None, "", "void", "none"} or bool(there.nodes or there.carried)
    absent: State = ("broken" if asked else "not reached") if settled else "unknown"
    cuda, others = _named(there, "libcuda.so"), _named(there, "libnvidia-")
    boxes = (
        _application(there),
        _box("cache", "container", _cached(there), "holds" if there.cached else absent),
        _box("nodes", "bridge", _few(there.nodes), "holds" if there.nodes else absent),
        _rules(there, absent),
        _box("libcuda", "host", _few(cuda), "holds" if cuda else absent),
        _box("driver", "host", _few(others), "holds" if others else absent),
        _module(host),
    )
    return Chain(
        subject=_subject(seen),
        verdict=_verdict(boxes, seen, asked, settled),
        works=_works(boxes, asked, settled),
        boxes=boxes,
    )


_TITLES = {
    "application": "application",
    "cache": "loader cache",
    "nodes": "device nodes",
    "rules": "device rules",
    "libcuda": "libcuda.so.1",
    "driver": "driver libraries",
    "module": "kernel module",
}


def _box(key: str, side: Side, detail: str, state: State) -> Box:
    return Box(key=key, title=_TITLES[key], side=side, state=state, detail=detail)


def _application(seen: Seen) -> Box:
    busy = "the low-level runtime is at work" if seen.pid else ""
    return _box("application", "container", seen.program or busy, "holds" if seen.program else "unknown")


def _rules(seen: Seen, absent: State) -> Box:
    if seen.rules is None:
        return _box("rules", "bridge", "not to be told from here" if seen.pid else "", "unknown")
    detail = f"{seen.rules} that let it at NVIDIA’s devices" if seen.rules else ""
    return _box("rules", "bridge", detail, "holds" if seen.rules else absent)


def _module(host: Host) -> Box:
    detail = f"driver {host.driver}" if host.driver else "none is loaded"
    return _box("module", "host", detail, "holds" if host.driver else "broken")


def _named(seen: Seen, start: str) -> tuple[str, ...]:
    return tuple(name for name in seen.carried if name.startswith(start))


def _few(names: tuple[str, ...]) -> str:
    """The first names, and how many more."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _cached(seen: Seen) -> str:
    return "names the driver’s libraries" if seen.cached else "does not name them" if seen.cached is False else ""


def _subject(seen: Seen | None) -> str:
    return f"process {seen.pid}" if seen else "the next container"


def _verdict(boxes: tuple[Box, ...], seen: Seen | None, asked: bool, settled: bool) -> str:
    if seen is None:
        return "No container has started yet."
    broken = next((box for box in reversed(boxes) if box.state == "broken"), None)
    if broken:
        return f"The chain is broken: {broken.title}."
    if not settled:
        return "The container is starting."
    return "The container has its GPUs." if asked else "The container asked for no GPU and has none."


def _works(boxes: tuple[Box, ...], asked: bool, settled: bool) -> bool | None:
    if any(box.state == "broken" for box in boxes):
        return False
    return True if settled and asked else None
