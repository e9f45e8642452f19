"""What a pasted error says: the messages without their wrapping, and the failure modes that they are known by. Pure.

Only what the signatures of the catalogue recognise is named; a text that none of them fits is unknown, and said to be.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from linkspan import errors
from linkspan.check.catalogue import all_modes
from linkspan.explain.signatures import Hit, hits
from linkspan.explain.wrapping import peel, printable, settle
from linkspan.facts.model import Model

_SHORT = 64 * 1024
"""Up to this many characters a text is also looked at with its lines joined: terminals and chats break lines."""

_MOST_MESSAGES = 8
_LAST_LINES = 400
_LONGEST_LINE = 4000

_ALARM = re.compile(
    r"error|fail|cannot|can't|could not|couldn't|denied|fatal|unable|invalid|unknown|not found|no such|panic|refused",
    re.IGNORECASE,
)
_CAUSE_FOLLOWS = re.compile(
    r": (?!unknown|no such file|permission denied|operation not permitted|file exists|device or resource busy"
    r"|invalid argument|not found|cannot open shared)[^\s:].{11}",
    re.IGNORECASE,
)
"""Another clause of an error; what only spells out an error number is none."""
_OWN = re.compile(r"\b(linkspan(?:-[a-z]{3,10}){0,2}): (.{1,2000})")
_CODE = re.compile(r" \[([a-z-]{4,16})\]$")


class Fit(Model, frozen=True, kw_only=True):
    """A failure mode that the text is known by: ``matched`` are the words, ``message`` the line without wrapping.

    The rest is the catalogue's, see ``check.catalogue.Mode``.
    """

    id: str
    title: str
    matched: str
    message: str
    why: str
    tell: str
    remedy: str
    links: tuple[str, ...] = ()


class Own(Model, frozen=True, kw_only=True):
    """An error of linkspan's own programs: it says itself what is wrong and what to do.

    ``code`` is that of ``linkspan.errors``, empty where the line has none, and ``meaning`` what it stands for.
    """

    program: str
    message: str
    hint: str = ""
    code: str = ""
    meaning: str = ""


class Pasted(Model, frozen=True, kw_only=True):
    """What is made of a pasted text; ``fits`` has the best first, ``layers`` who wrapped the messages."""

    messages: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    fits: tuple[Fit, ...] = ()
    own: tuple[Own, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything of it was recognised."""
        return bool(self.fits or self.own)


def classify(text: str) -> Pasted:
    """What a text with an error says: its core messages, the failure modes that fit, linkspan's own errors."""
    settled = settle(text)
    best = _best(settled)
    own = tuple(_own_errors(settled))
    peeled = [peel(line) for line in ([hit.line for hit in best] or _alarming(settled))]
    return Pasted(
        messages=tuple(dict.fromkeys(one.text for one in peeled if one.text))[:_MOST_MESSAGES],
        layers=tuple(dict.fromkeys(name for one in peeled for name in one.layers)),
        fits=tuple(_fit(hit) for hit in best),
        own=own,
    )


def _best(text: str) -> list[Hit]:
    """The best hit of each failure mode, the best of all first."""
    found: dict[str, Hit] = {}
    for variant in _variants(text):
        for hit in hits(variant):
            known = found.get(hit.signature.id)
            if known is None or _rank(hit) < _rank(known):
                found[hit.signature.id] = hit
        if found:
            break
    return sorted(found.values(), key=_rank)


def _rank(hit: Hit) -> tuple[bool, int, int]:
    """The innermost first, which no further cause follows; then the most specific; then the catalogue's order."""
    return bool(_CAUSE_FOLLOWS.search(hit.rest)), -hit.signature.weight, hit.signature.order


def _variants(text: str) -> Iterator[str]:
    """The text as it is, then as it was before its lines were broken, between words or within one."""
    yield text
    if len(text) <= _SHORT and "\n" in text:
        lines = [line.strip() for line in text.splitlines()]
        yield " ".join(lines)
        yield "".join(lines)


def _fit(hit: Hit) -> Fit:
    mode = all_modes()[hit.signature.id]
    return Fit(
        id=mode.id,
        title=mode.title,
        matched=printable(hit.matched),
        message=peel(hit.line).text,
        why=mode.why,
        tell=mode.tell,
        remedy=mode.remedy,
        links=mode.links,
    )


def _alarming(text: str) -> list[str]:
    """The lines that sound like an error, of the end of a text that nothing was recognised in."""
    tail = text[-_SHORT:].splitlines()[-_LAST_LINES:]
    lines = [line[:_LONGEST_LINE] for line in tail if line.strip()]
    return [line for line in lines if _ALARM.search(line)][-_MOST_MESSAGES:] or lines[-1:]


def _own_errors(text: str) -> Iterator[Own]:
    lines = text.splitlines() if "linkspan" in text else []
    ours = dict.fromkeys(pair for pair in pairwise([*lines, ""]) if "linkspan: " in pair[0] or "linkspan-" in pair[0])
    seen: set[str] = set()
    for line, following in list(ours)[-_LAST_LINES:]:
        if not (found := _OWN.search(line[:_LONGEST_LINE])):
            continue
        own = _own(found[1], peel(found[2]).text, following)
        if own.message and own.message not in seen and len(seen) < _MOST_MESSAGES:
            seen.add(own.message)
            yield own


def _own(program: str, text: str, following: str) -> Own:
    """An error of ours: of the start path in one line with its code, of the command line with a hint below it."""
    code = found[1] if (found := _CODE.search(text)) else ""
    message, _, within = _CODE.sub("", text).partition("; ")
    below = following.partition("hint: ")[2] if following.lstrip().startswith("hint: ") else ""
    hint = printable(below or within)
    return Own(program=program, message=message, hint=hint, code=code, meaning=_meanings().get(code, ""))


def _meanings() -> dict[str, str]:
    """What each code of our errors stands for, in the words of its class."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")]
    return {kind.code: (kind.__doc__ or "").partition("\n")[0] for kind in kinds}
