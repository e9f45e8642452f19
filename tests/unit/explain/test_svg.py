import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from linkspan.explain import svg
from linkspan.explain.chain import Chain
from tests import browser
from tests.unit.explain import chains

SVG = "{http://www.w3.org/2000/svg}"
ONE_BANK = msgspec.structs.replace(chains.BROKEN, boxes=chains.BROKEN.boxes[4:])
NO_BRIDGE = msgspec.structs.replace(chains.HOLDS, boxes=(*chains.HOLDS.boxes[:3], *chains.HOLDS.boxes[4:]))
BRIDGE_BROKEN = msgspec.structs.replace(
    chains.HOLDS, boxes=(*chains.HOLDS.boxes[:3], msgspec.structs.replace(chains.HOLDS.boxes[3], state="broken"))
)
BACKWARDS = msgspec.structs.replace(chains.HOLDS, boxes=chains.HOLDS.boxes[::-1])
EMPTY = Chain(subject="x", verdict="There is no container x.", works=None, boxes=())
CHAINS = {
    "holds": chains.HOLDS,
    "broken": chains.BROKEN,
    "hostile": chains.HOSTILE,
    "one bank": ONE_BANK,
    "no bridge": NO_BRIDGE,
    "bridge broken": BRIDGE_BROKEN,
    "backwards": BACKWARDS,
    "empty": EMPTY,
}
every_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)


@every_chain
def test_the_picture_is_xml_that_says_what_it_shows(chain):
    root = ET.fromstring(svg.render(chain))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    named = {one.get("id"): one.text or "" for one in root if one.get("id")}
    assert [named[name] != "" for name in (root.get("aria-labelledby") or "").split()] == [True, True]
    for box in chain.boxes[:1]:
        assert box.state in named["desc"]


@every_chain
def test_the_picture_loads_nothing_and_runs_nothing(chain):
    for one in ET.fromstring(svg.render(chain)).iter():
        assert one.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "style", "rect", "path", "g", "circle", "text", "tspan", "pattern")
        }
        assert not any(
            name.rpartition("}")[2] in {"href", "src", "style"} or name.startswith("on") for name in one.attrib
        )


@every_chain
def test_everything_is_within_the_picture(chain):
    root = ET.fromstring(svg.render(chain))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for x, y in places(root, 0, 0):
        assert 0 <= x <= width
        assert 0 <= y <= height


def places(one: ET.Element, x: float, y: float):
    moved = re.match(r"translate\(([\d.-]+) ([\d.-]+)\)", one.get("transform", ""))
    x, y = (x + float(moved[1]), y + float(moved[2])) if moved else (x, y)
    if one.tag in {f"{SVG}rect", f"{SVG}text", f"{SVG}tspan"} and not one.get("width", "").endswith("%"):
        left, top = x + float(one.get("x", 0)), y + float(one.get("y", 0))
        yield left, top
        if one.tag == f"{SVG}rect":
            yield left + float(one.get("width", 0)), top + float(one.get("height", 0))
    for child in one:
        yield from places(child, x, y)


def test_every_joint_is_drawn_and_the_broken_one_in_pieces():
    root = ET.fromstring(svg.render(chains.BROKEN))
    lines = [one.get("class") for one in root.iter() if (one.get("class") or "").startswith("line")]
    assert lines.count("line open") == 3
    assert lines.count("line holds") == 2
    assert lines.count("line broken") == 3  # up to the fracture, from it on, and the fracture
    assert "The chain breaks here" in "".join(root.itertext())


def test_a_long_path_is_cut_and_stands_whole_in_the_title():
    long = msgspec.structs.replace(chains.HOLDS.boxes[1], path="/" + "/".join(["folder"] * 60))
    root = ET.fromstring(svg.render(msgspec.structs.replace(chains.HOLDS, boxes=(long,))))
    assert long.path in next(one.text or "" for one in root.iter(f"{SVG}title") if long.title in (one.text or ""))
    drawn = [one.text or "" for one in root.iter(f"{SVG}tspan") if "folder" in (one.text or "")]
    assert len(drawn) == 2
    assert drawn[-1].endswith("…")


@pytest.mark.parametrize("chain", [chains.BROKEN, chains.HOSTILE, BACKWARDS], ids=["broken", "hostile", "backwards"])
def test_no_text_is_wider_than_its_box_in_a_browser(chain):
    assert browser.texts_beyond_their_boxes(svg.render(chain)) == []


def test_the_picture_in_the_documents_is_what_is_drawn():
    with open("docs/chain.svg", encoding="utf-8") as file:
        assert file.read() == svg.render(chains.BROKEN), "run 'make docs'"
