import datetime
import re

import pytest

from linkspan.cli import image_page
from linkspan.image import baseline, policy, registry
from linkspan.image.judged import Judged, judge
from linkspan.image.registry import Target
from tests import browser
from tests.unit.explain.test_page import Reader
from tests.unit.image import ruled

DAY = datetime.date(2027, 1, 1)
POLICY = b"""[[rule]]
id = "I-T-3"
severity = "off"
reason = "<b>ours</b>"
expires = 2028-01-01
"""


def judged(*paths: str) -> Judged:
    known = baseline.of("x", judge(ruled.image("/old.bad"), today=DAY).findings)
    image = ruled.image(*paths, "/old.bad", odd="1")
    return judge(image, Target(driver="535", gpus=("T4",)), policy.parse(POLICY, "p"), known, today=DAY)


@pytest.fixture(autouse=True)
def _rules(monkeypatch):
    monkeypatch.setattr(registry, "all_rules", lambda: ruled.RULES)


def test_the_page_tells_all_that_the_check_found():
    reader = Reader(image_page.render(judged("/a.bad", "/b.tmp"), "error"))
    assert reader.open == []
    said = reader.everything()
    for part in ("1 finding at or above error.", "/a.bad is bad", "RUN rm /a.bad", "Layer 1: ", "COPY . /app"):
        assert part in said
    for part in ("saves 2.5 MB", "Known before", "/old.bad is bad", "until 2028-01-01: ", "<b>ours</b>", "535, T4"):
        assert part in said


def test_names_of_strangers_are_shown_and_not_obeyed():
    text = image_page.render(judged("/<script>alert(1)</script>\u202e.bad"), "error")
    assert "<script>alert" not in text
    assert "\\u202e" in text
    assert Reader(text).open == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_can_be_used_by_everybody_at_any_width(width):
    seen = browser.look(image_page.render(judged("/a.bad", "/b.tmp"), "error"), width, "light", judge=True)
    assert seen.console == []
    assert [one for one in seen.answers["violations"] if one["impact"] in {"serious", "critical"}] == []
    assert (seen.answers["width"], seen.answers["scroll"], seen.answers["wide"]) == (width, width, [])


def test_a_sentence_of_the_header_is_one_piece_with_its_full_stop():
    told = image_page.render(judged("/a.bad"), "error")
    (runs,) = re.findall(r"<p [^>]*>(<span>Runs there: .*?)</p>", told)
    assert runs.endswith(".</span>")


def test_what_could_not_be_read_is_not_called_clean():
    blind = Judged(source="x", refused=("/a cannot be read",))
    assert image_page.verdict(blind, "error") == "Clean, as far as it could be read: no rule found anything."
