"""A chain, or a report of the doctor, as one HTML page that needs nothing but itself.

It opens from a disk, from a mail and from a bug tracker, without a network. Names in it come from containers that may
be hostile, so all is escaped, what cannot be seen is written out (``shown``), and the page's own policy lets it run
the one script and use the one style that we wrote: both are known by their hashes, and nothing can be fetched or sent.
"""

import base64
import hashlib
from functools import cache
from importlib import resources

from linkspan._version import __version__
from linkspan.check.model import Report
from linkspan.explain import page_chain, page_report, shown
from linkspan.explain.chain import Chain
from linkspan.explain.markup import Markup, join, tag

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 4v5h14v5' "
    "fill='none' stroke='%231b6a51' stroke-width='2.5'/%3E%3C/svg%3E"
)
_MARKS = {
    "holds": "M4 12.5l5 5L20 6.5",
    "broken": "M6 6l12 12M18 6L6 18",
    "doubtful": "M12 4v10M12 19.5v.5",
    "not-reached": "M5 12h14",
    "unknown": "M8 8.5a4 4 0 1 1 5.6 3.7c-1 .5-1.6 1.2-1.6 2.3M12 19.5v.5",
}
"""The marks of the states, as paths in a square of 24: they tell them apart without colour."""


def render(chain: Chain) -> str:
    """The page of a chain."""
    return document(f"{shown.line(chain.subject)}: {shown.line(chain.verdict)}", page_chain.body(chain))


def render_report(report: Report) -> str:
    """The page of a report of the doctor."""
    return document(f"linkspan doctor: {page_report.verdict(report)}", page_report.body(report))


def document(title: str, body: Markup, *more: str) -> str:
    """A page of ours around a body; ``more`` are the names of further styles in the folder of data."""
    style, script = Markup("".join(map(_data, ("page.css", *more)))), _data("page.js")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("link", rel="icon", href=ICON),
        tag("style", style),
    )
    end = join((_footer(), tag("div", class_="symbols", id="said", role="status"), tag("script", script)))
    page = tag("html", head, tag("body", _symbols(), body, end), lang="en")
    return f"<!doctype html>\n{page}\n"


def policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: this style, this script, pictures that are part of the page, no more."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _data(name: str) -> Markup:
    return Markup(resources.files("linkspan.explain").joinpath("data", name).read_text("utf-8"))


def _symbols() -> Markup:
    marks = (
        tag("symbol", tag("path", d=path), id=f"mark-{name}", viewBox="0 0 24 24") for name, path in _MARKS.items()
    )
    return tag("svg", *marks, class_="symbols", aria_hidden="true")


def _footer() -> Markup:
    text = f"Written by linkspan {__version__}. This page is complete: it loads nothing and sends nothing."
    return tag("footer", tag("p", text))
