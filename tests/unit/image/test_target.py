"""Where an image is to run: by names, or by a host's facts."""

import pytest

from linkspan.errors import RequestError
from linkspan.image import target
from tests.unit.plan import hosts


def test_names_are_told_with_their_compute_capability_each_once():
    found = target.of_names("550.54.14", ["T4,H100", "T4", "8.0"])
    assert (found.driver, found.gpus, found.capabilities) == ("550.54.14", ("T4", "H100", "8.0"), ("7.5", "9.0", "8.0"))


def test_a_host_is_its_driver_and_each_kind_of_its_gpus():
    facts = hosts.h100x8()
    found = target.of_host(facts)
    assert found.driver == facts.driver.version
    assert len(found.gpus) == len(found.capabilities) == 1


@pytest.mark.parametrize(("driver", "gpu", "sentence"), [("new", "T4", '"new" is no version'), ("535", "T5", '"T5"')])
def test_what_is_not_known_is_one_sentence(driver, gpu, sentence):
    with pytest.raises(RequestError, match=sentence):
        target.of_names(driver, [gpu])
