"""``linkspan image advise`` as a person and as a program use it; the image is given."""

import json
from xml.etree import ElementTree

import pytest

from linkspan.cli import image_advice_page, image_picture
from linkspan.cli.main import run
from linkspan.image import elsewhere
from linkspan.image.advice import advise
from linkspan.image.model import Hidden, Image
from tests import browser
from tests.unit.explain.test_page import Reader
from tests.unit.image.stacks import DEVEL, RUNTIME, WHEELS, file, image, lib

TRAIN = image(
    *DEVEL,
    lib("/app/bin/train", 5_000_000, "libcublas.so.12", layer=2),
    hidden=(Hidden(path="/tmp/cuda.run", layer=1, size=70_000_000, by=2),),
)
HOSTILE = image(file("/app/\x1b[2J\u202e<script>alert(1)</script>", 5), *DEVEL, lib("/app/<b>\n", 5, "libcudart.so.12"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _images(monkeypatch):
    known = {"train": TRAIN, "wheels": image(*RUNTIME, *WHEELS), "empty": Image(source="empty"), "hostile": HOSTILE}
    monkeypatch.setattr(elsewhere, "open_any", lambda reference, *_: known[reference])
    monkeypatch.setenv("COLUMNS", "110")


def test_advice_is_told_with_reasons_and_bytes(capsys):
    assert run(["image", "advise", "train", "--driver", "535"]) == 0
    said = capsys.readouterr().out
    for part in (
        "image  shop/app:1  980 MB in 3 layers",
        "the runtime variant of nvidia/cuda is enough, and the image has all of the devel variant",
        "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04",
        "/app/bin/train links to libcublas.so.12",
        "171 MB",
        "driver 525.60.13 or later",
        "driver 535 starts it, and compiles no PTX newer than CUDA 12.2",
        "COPY app /app",
    ):
        assert part in said


def test_wheels_need_no_toolkit(capsys):
    assert run(["image", "advise", "wheels"]) == 0
    said = capsys.readouterr().out
    assert "any small base is enough" in said
    assert "ENV NVIDIA_VISIBLE_DEVICES=all" in said
    assert "FROM debian:stable-slim, or FROM nvidia/cuda:12.4.1-base-ubuntu22.04" in said


def test_json_is_the_whole_advice(capsys):
    assert run(["image", "advise", "train", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["base"]["enough"], told["base"]["has"]) == ("runtime", "devel")
    assert told["savings"][0]["bytes"] == 200_700_000
    assert told["owners"]["hidden"] == 70_000_000
    assert [layer["number"] for layer in told["layers"]] == [0, 1, 2]


def test_an_empty_image_gets_advice_too(tmp_path, capsys):
    files = [str(tmp_path / "p.svg"), str(tmp_path / "p.html")]
    assert run(["image", "advise", "empty", "--svg", files[0], "--html", files[1]]) == 0
    assert "nothing in the image tells a version of CUDA" in capsys.readouterr().out
    ElementTree.parse(files[0])


def test_the_picture_has_a_bar_for_each_layer_in_its_measure():
    picture = ElementTree.fromstring(image_picture.render(advise(TRAIN)))
    bars = picture.findall(f"{SVG}g")
    assert len(bars) == 3
    upper, middle, _ = (
        sum(float(piece.get("width", "")) for piece in bar.findall(f"{SVG}rect[@class!='track']")) for bar in bars
    )
    assert middle == pytest.approx(1100, abs=1)
    assert upper == pytest.approx(1100 * 5_000_000 / 972_650_000, abs=0.1)
    titles = [each.text for each in picture.iter(f"{SVG}title")]
    assert "CUDA's compiler and headers: 171 MB" in titles


def test_names_of_strangers_are_shown_and_not_obeyed(capsys):
    assert run(["image", "advise", "hostile"]) == 0
    texts = [capsys.readouterr().out, image_picture.render(advise(HOSTILE)), image_advice_page.render(advise(HOSTILE))]
    for text in texts:
        assert not [sign for sign in ("\x1b", "\u202e", "<script>alert", "<b>\n") if sign in text]
    ElementTree.fromstring(texts[1])
    assert Reader(texts[2]).open == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_can_be_used_by_everybody_at_any_width_and_in_any_light(width, scheme):
    seen = browser.look(image_advice_page.render(advise(TRAIN)), width, scheme, judge=True)
    assert seen.console == []
    assert [one for one in seen.answers["violations"] if one["impact"] in {"serious", "critical"}] == []
    assert (seen.answers["width"], seen.answers["scroll"], seen.answers["wide"]) == (width, width, [])


def test_the_page_tells_what_the_terminal_tells():
    said = Reader(image_advice_page.render(advise(TRAIN))).everything()
    for part in (
        "Layer 1: ",
        "/app/bin/train links to libcublas.so.12",
        "files that a later layer covers",
        "525.60.13",
    ):
        assert part.lower() in said.lower()
