import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

import msgspec
import pytest

from linkspan.explain import page
from linkspan.explain.chain import Chain
from tests.unit.explain import chains


class Reader(HTMLParser):
    """What a page is made of: tags with their attributes, ids, and the text of each element kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "wbr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def everything(self) -> str:
        return "".join(text for texts in self.texts.values() for text in texts)


PAGES = {
    "holds": page.render(chains.HOLDS),
    "broken": page.render(chains.BROKEN),
    "hostile": page.render(chains.HOSTILE),
    "empty": page.render(Chain(subject="x", verdict="There is no container x.", works=None, boxes=())),
    "report": page.render_report(chains.REPORT),
    "hostile report": page.render_report(chains.HOSTILE_REPORT),
    "empty report": page.render_report(msgspec.structs.replace(chains.REPORT, findings=(), unanswered=())),
}
every_page = pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)


@every_page
def test_a_page_is_well_formed_and_every_element_is_closed(text):
    reader = Reader(text)
    assert reader.open == []
    assert [name for name, _ in reader.tags[:2]] == ["html", "head"]


@every_page
def test_a_page_loads_nothing(text):
    reader = Reader(text)
    for name, attributes in reader.tags:
        assert "src" not in attributes, name
        assert not any(key.startswith("on") or key == "style" for key in attributes), (name, attributes)
        if name != "a":
            assert not re.match(r"(https?:)?//", attributes.get("href") or ""), attributes
    assert "@import" not in text
    assert "url(http" not in text


@every_page
def test_the_policy_allows_the_one_style_and_the_one_script_that_are_there(text):
    reader = Reader(text)
    policy = next(one["content"] for one in reader.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        assert len(reader.of(kind)) == 1
        digest = base64.b64encode(hashlib.sha256("".join(reader.texts[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy


@every_page
def test_every_link_within_a_page_leads_to_a_place_that_is_there_once(text):
    reader = Reader(text)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [one["href"] for name in ("a", "use") for one in reader.of(name)]
    labels = [f"#{attributes['aria-labelledby']}" for _, attributes in reader.tags if "aria-labelledby" in attributes]
    for target in [*targets, *labels]:
        assert target is not None
        assert target.startswith("https://") or target.removeprefix("#") in ids


@every_page
def test_headings_go_down_by_one_step_at_a_time(text):
    levels = [int(name[1]) for name, _ in Reader(text).tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", ["hostile", "hostile report"])
def test_no_name_becomes_a_tag_an_attribute_or_an_unseen_character(name):
    reader = Reader(PAGES[name])
    assert {tag for tag, _ in reader.tags} <= {
        tag for plain in ("broken", "report", "empty report") for tag, _ in Reader(PAGES[plain]).tags
    }
    shown = reader.everything()
    assert "<script>document.title='taken'</script>" in shown
    assert r"gpj.\u202etxt" in shown
    assert r"\x1b[31mred" in shown
    assert r"\udcff\ud800" in shown
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", PAGES[name]
    )
    assert all(not (one["href"] or "").startswith("javascript:") for one in reader.of("a"))


def test_a_name_of_ten_thousand_letters_is_cut_except_in_a_command():
    text = PAGES["hostile"]
    assert "more characters)" in text
    assert len(max(re.findall("x+", re.sub("<pre>.*?</pre>", "", text)), key=len)) <= 2000
    assert f"<code>{'x' * 10_000}</code>" in text


def test_a_box_shows_what_is_known_of_it():
    shown = Reader(PAGES["broken"]).everything()
    for box in chains.BROKEN.boxes:
        for text in (box.title, box.version, box.path, box.owner, box.detail):
            assert text in shown


def test_a_state_is_said_in_words():
    reader = Reader(PAGES["broken"])
    boxes = [one["class"] for one in reader.of("div") if (one.get("class") or "").startswith("box ")]
    assert boxes == ["box not-reached"] * 3 + ["box holds", "box broken"] + ["box holds"] * 2
    assert reader.texts["span"].count("not reached") == 3 + 1  # and once in the list of the marks
    assert "The chain breaks here" in reader.texts["p"]


def test_the_fix_of_the_box_to_mend_first_comes_first():
    doubtful = msgspec.structs.replace(chains.BROKEN_BOX, state="doubtful", title="something else")
    chain = msgspec.structs.replace(chains.BROKEN, boxes=(doubtful, *chains.BROKEN.boxes[:6], doubtful))
    fixes = re.findall(r'id="fix-(\d+)"', page.render(chain))
    assert fixes == ["5", "7", "0"]


def test_each_command_has_a_button_that_says_what_it_copies():
    reader = Reader(PAGES["broken"])
    labels = [one["aria-label"] for one in reader.of("button")]
    assert len(labels) == len(chains.BROKEN_BOX.remedy.commands)  # type: ignore[union-attr]
    assert labels[0] == "Copy the command docker exec trainer sh -c 'ls -l /usr/lib/x86_64-linux-gnu/libcuda.so*'"
    assert all("hidden" in one for one in reader.of("button"))


def test_a_working_chain_has_no_fix():
    assert "How to mend it" not in PAGES["holds"]
    assert "7 of 7 links hold." in PAGES["holds"]


def test_a_report_has_its_findings_apart_by_what_they_mean():
    shown = Reader(PAGES["report"]).everything()
    order = [
        shown.index(text)
        for text in ("Broken now", "What will break later", "What works, and is not safe", "Not answered")
    ]
    assert order == sorted(order)
    assert "mend this first" in shown
    assert "Failed to initialize NVML: Driver/library version mismatch" in shown


def test_a_report_without_findings_says_what_holds():
    shown = Reader(PAGES["empty report"]).everything()
    assert "Every link that was looked at holds." in shown
    assert "nvidia, nvidia_uvm, nvidia_modeset are loaded" in shown
