"""Every rule has its two images, and they are read in every form that an image comes in."""

import itertools
import statistics
import time
from collections import Counter

import pytest

from linkspan.image.model import Config
from linkspan.image.registry import findings
from linkspan.image.source import open_image
from tests.unit.image import rendered
from tests.unit.image.images import image, library, program
from tests.unit.image.rules import (
    test_base,
    test_boundary,
    test_cuda,
    test_framework,
    test_loader,
    test_target,
    test_variables,
    test_weight,
)
from tests.unit.image.rules.cases import ON_WORDS_THAT_LACK, Case, ask, forms_of, ids, same, way_of

AREAS = (
    *(test_base, test_boundary, test_cuda, test_framework),
    *(test_loader, test_target, test_variables, test_weight),
)
CASES: tuple[Case, ...] = tuple(itertools.chain.from_iterable(area.CASES for area in AREAS))
_NEEDY = (library("/lib64/ld-linux-x86-64.so.2"), program("/app/tool", "libx.so.1"))


def test_of_a_folder_no_rule_misses_words_that_it_has_no_place_for():
    for case in (one for one in CASES if one.rule in ON_WORDS_THAT_LACK):
        folder = rendered.altered(case.broken, config=Config(architecture="amd64", is_there=False))
        assert case.rule not in {one.id for one in findings(folder)}


def test_every_rule_has_one_case():
    assert Counter(case.rule for case in CASES) == dict.fromkeys(ids(), 1)
    assert len(CASES) >= 60


def test_every_form_of_an_image_and_every_packing_is_read_many_times():
    pairs = [(case.rule, rendered.scaled(one)) for case in CASES for one in (case.broken, case.sound)]
    ways = [way_of(*pair) for pair in pairs]
    forms = Counter(form for form, _ in ways)
    packings = Counter(packing for form, packing in ways if form != "rootfs")
    assert set(forms) == set(rendered.FORMS)
    assert set(packings) == set(rendered.PACKINGS)
    assert min(*forms.values(), *packings.values()) >= 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
@pytest.mark.parametrize("which", ["broken", "sound"])
def test_an_image_says_the_same_in_every_form(case: Case, which: str):
    whole = rendered.scaled(case.broken if which == "broken" else case.sound)
    target = case.target if which == "broken" else case.other_target or case.target
    for number, form in enumerate(forms_of(case.rule, whole)):
        found = same(whole, target, (form, rendered.PACKINGS[number % len(rendered.PACKINGS)]))
        assert (case.rule in {one.id for one in found}) is (which == "broken")


def test_a_small_image_is_read_and_judged_in_some_tens_of_milliseconds(tmp_path):
    taken = []
    for case in CASES:
        place = rendered.write(rendered.scaled(case.broken), f"{tmp_path}/{case.rule}", "layout", "gzip")
        start = time.perf_counter()
        findings(open_image(place), case.target)
        taken.append(time.perf_counter() - start)
    assert statistics.median(taken) < 0.05  # it is 2 ms on two cores of 2024, and others want them, too


@pytest.mark.parametrize(
    ("refused", "finds"),
    [
        ("layer 1: the layer sha256:1 is not with the image; its files are not known", False),
        ("layer 0: '../../etc/passwd': its name leads out of the image or is too long", True),
    ],
)
def test_a_library_is_missing_unless_a_whole_layer_is(refused: str, finds: bool):
    assert bool(ask("I-LOADER-1", image(*_NEEDY, refused=(refused,)))) is finds
