"""Advice on an image as a page: what to begin with, what to leave out, which driver, whose each layer is."""

from collections.abc import Iterable

from linkspan.cli import image_bars as bars
from linkspan.cli import image_words as words
from linkspan.explain import page
from linkspan.explain.markup import Markup, join, tag
from linkspan.explain.page_parts import path, said
from linkspan.image.advice import Advice
from linkspan.image.amounts import size
from linkspan.image.owners import OWNERS, Share
from linkspan.image.savings import Saving
from linkspan.plan.wording import plural


def render(advice: Advice) -> str:
    """The page of an advice."""
    base = (tag("p", _sentence(words.enough(advice.base))), _told(words.base_lines(advice.base)))
    sections = (
        _section("layers", "Layers", (_owners(advice), _stack(advice))),
        _section("base", "What to begin with", base),
        _section("less", "What could be left out", tuple(map(_saving, advice.savings)) or (_nothing(),)),
        _section("driver", "The driver that it needs", (_told(words.driver_lines(advice)),)),
    )
    body = join((_header(advice), tag("main", tag("div", *sections, class_="findings"))))
    return page.document(f"linkspan image advise: {words.headline(advice)}", body, "layers.css")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _header(advice: Advice) -> Markup:
    about = tag("span", "looked at ", said(advice.source))
    kicker = tag("p", tag("b", "linkspan image advise"), about, class_="kicker")
    counts = tag("span", f"{size(advice.bytes)} in {plural(len(advice.layers), 'layer')}")
    holds = words.holds(advice.parts)
    told = tag("p", tag("span", "It holds ", said(holds), "."), class_="sum") if holds else Markup("")
    return tag("header", kicker, tag("h1", _sentence(words.headline(advice))), told, tag("p", counts, class_="sum"))


def _section(name: str, title: str, parts: Iterable[Markup]) -> Markup:
    return tag("section", tag("h2", title, id=name), *parts, aria_labelledby=name)


def _told(rows: Iterable[tuple[str, str]]) -> Markup:
    pairs = [join((tag("dt", label), tag("dd", said(text)))) for label, text in rows]
    return tag("dl", *pairs, class_="told")


def _saving(one: Saving) -> Markup:
    where = words.place(one.files, one.layers)
    tags = tag("p", tag("b", size(one.bytes)), tag("span", where), class_="tags")
    paths = tag("ul", *(tag("li", tag("code", path(each))) for each in one.paths), class_="seen")
    parts = (tags, tag("h3", _sentence(one.title)[:-1]), tag("p", _sentence(one.how)), paths)
    return tag("article", *parts, class_="finding")


def _nothing() -> Markup:
    return tag("p", "Nothing that can be told from the files.", class_="quiet")


def _owners(advice: Advice) -> Markup:
    items = []
    for owner, total in advice.owners.items():
        square = tag("rect", width="16", height="16", class_=f"share {bars.css(owner)}")
        swatch = tag("svg", square, viewBox="0 0 16 16", aria_hidden="true")
        items.append(tag("li", swatch, tag("span", f"{OWNERS[owner]}, {size(total)}")))
    return tag("ul", *items, class_="owners")


def _stack(advice: Advice) -> Markup:
    largest = bars.largest(advice.layers)
    return tag("ol", *(_layer(share, largest) for share in reversed(advice.layers)), class_="stack")


def _layer(share: Share, largest: int) -> Markup:
    made = tag("code", said(share.command, 400)) if share.command else "its history does not tell how"
    label = tag("p", tag("b", f"Layer {share.number}: {size(share.total)}"))
    track = tag("rect", width="1000", height="22", class_="track")
    told = "; ".join(f"{OWNERS[owner]} {size(number)}" for owner, number in share.bytes.items()) or "no files"
    bar = tag(
        "svg", track, bars.bar(share, largest, 1000, 22),
        viewBox="0 0 1000 22", preserveAspectRatio="none", class_="bar", role="img", aria_label=told,
    )  # fmt: skip
    return tag("li", label, tag("p", made, class_="made"), bar)
