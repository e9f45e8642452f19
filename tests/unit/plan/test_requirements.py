import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import RequirementError
from linkspan.facts.model import Driver
from linkspan.plan.requirements import check, parse, read_requirements
from tests.unit.plan.hosts import changed, gpu, host

H100 = gpu(0)
FACTS = host(H100)

CUDA_12_1 = (
    "cuda>=12.1 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=470,driver<471 "
    "brand=nvidiartx,driver>=470,driver<471 brand=geforce,driver>=470,driver<471"
)
"""The kind of value that nvidia/cuda images have."""


def read(legacy=False, **env):
    return read_requirements(env, legacy_image=legacy)


def holds(text, facts=FACTS, gpus=(H100,)):
    try:
        check([parse("NVIDIA_REQUIRE_X", text)], facts, gpus)
    except RequirementError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cuda>=12.4", True),
        ("cuda>=12.4.0", True),
        ("cuda=12.4", True),
        ("cuda!=12.4", False),
        ("cuda>12.4", False),
        ("cuda<12.4", False),
        ("cuda<=12", False),
        ("cuda<=12.10", True),
        ("CUDA>=12", True),
        ("driver>=550", True),
        ("driver<535.100", False),
        ("arch>=9.0", True),
        ("arch<9", False),
        ("brand=NVIDIA", True),
        ("brand!=nvidia", False),
        ("brand=tesla", False),
        ("cuda>=99 driver>=500", True),
        ("cuda>=99 driver>=500,arch=7.0", False),
        ("cuda>=12,driver>=500,arch>=8", True),
        (CUDA_12_1, True),
    ],
)
def test_terms_are_compared_number_by_number_and_joined_by_or_and_and(text, expected):
    assert holds(text) is expected


def test_brands_are_compared_without_blanks():
    rtx = changed(H100, brand="GeForce RTX")
    assert holds("brand=geforcertx", gpus=[rtx])


def test_every_gpu_has_to_hold():
    with pytest.raises(RequirementError, match=r"GPU 1 has arch=7\.5"):
        check([parse("NVIDIA_REQUIRE_ARCH", "arch>=8.0")], FACTS, [H100, changed(gpu(1), compute_capability="7.5")])


def test_without_a_gpu_only_the_driver_is_judged():
    assert holds("brand=tesla,arch>=99", gpus=[])
    assert not holds("driver>=999", gpus=[])


def test_what_the_host_cannot_tell_is_taken_to_hold():
    assert holds("cuda>=99", facts=changed(FACTS, driver=Driver(version="550.163.01")))


def test_the_error_names_what_is_required_what_was_found_and_what_to_do():
    with pytest.raises(RequirementError) as caught:
        check([parse("NVIDIA_REQUIRE_CUDA", "cuda>=13.9")], FACTS, [H100])
    assert caught.value.message == "NVIDIA_REQUIRE_CUDA requires cuda>=13.9, but this host has cuda=12.4"
    assert "update the host's driver" in caught.value.hint
    assert "CUDA 12.4 or older" in caught.value.hint
    assert "NVIDIA_DISABLE_REQUIRE=1" in caught.value.hint


def test_the_error_counts_the_alternatives_and_names_what_they_look_at():
    with pytest.raises(RequirementError) as caught:
        check([parse("NVIDIA_REQUIRE_CUDA", "cuda>=13 brand=tesla,driver>=600 arch<3")], FACTS, [H100])
    assert "requires cuda>=13 or 2 alternatives to it, but GPU 0 has cuda=12.4, driver=550.163.01, arch=9.0" in str(
        caught.value
    )


def test_an_upper_limit_is_no_reason_to_update_the_driver():
    with pytest.raises(RequirementError) as caught:
        check([parse("NVIDIA_REQUIRE_DRIVER", "driver<500")], FACTS, [H100])
    assert "update" not in caught.value.hint


def test_a_driver_of_unknown_cuda_version_is_still_told_what_to_do():
    facts = changed(FACTS, driver=Driver(version="550.163.01"))
    with pytest.raises(RequirementError) as caught:
        check([parse("NVIDIA_REQUIRE_DRIVER", "driver>600")], facts, [H100])
    assert "an older CUDA" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("cuda=>banana", "cuda=>banana"),
        ("cuda>=12.4 driver", "driver"),
        ("cuda>=12.4,", ""),
        ("cuda>=12..4", "cuda>=12..4"),
        ("cuda>=", "cuda>="),
        (">=12", ">=12"),
        ("cuda==12", "cuda==12"),
        ("speed>=12", "speed>=12"),
        ("brand>=tesla", "brand>=tesla"),
        ("brand=1/2", "brand=1/2"),
        ("arch>=" + "9" * 5000, "arch>=999"),
    ],
)
def test_a_malformed_part_is_named(text, part):
    with pytest.raises(RequirementError) as caught:
        read(NVIDIA_REQUIRE_CUDA=text)
    assert f'NVIDIA_REQUIRE_CUDA has a malformed part "{part}' in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message) < 200


def test_all_variables_count_but_jetpack_and_blank_ones_in_order_of_their_names():
    found = read(
        NVIDIA_REQUIRE_Z="cuda>=1",
        NVIDIA_REQUIRE_JETPACK="csv-mounts=all",
        NVIDIA_REQUIRE_JETPACK_HOST_MOUNTS="base-only",
        NVIDIA_REQUIRE_A="arch>=1",
        NVIDIA_REQUIRE_EMPTY=" ",
        OTHER="x",
    )
    assert [requirement.variable for requirement in found] == ["NVIDIA_REQUIRE_A", "NVIDIA_REQUIRE_Z"]


@pytest.mark.parametrize(("value", "off"), [("1", True), ("t", True), ("True", True), ("0", False), ("yes", False)])
def test_requirements_can_be_switched_off(value, off):
    assert (read(NVIDIA_REQUIRE_CUDA="cuda>=1", NVIDIA_DISABLE_REQUIRE=value) == ()) is off


@pytest.mark.parametrize(
    ("version", "text"),
    [("8.0.61", "cuda>=8.0"), ("11.4", "cuda>=11.4"), ("v12", "cuda>=12.0"), ("12.1-rc", "cuda>=12.1")],
)
def test_a_legacy_image_requires_the_cuda_that_it_is_made_of(version, text):
    assert [requirement.text for requirement in read(legacy=True, CUDA_VERSION=version)] == [text]


def test_a_legacy_image_of_no_version_is_refused():
    with pytest.raises(RequirementError, match='CUDA_VERSION="latest" is not a version'):
        read(legacy=True, CUDA_VERSION="latest")


def test_more_than_32_variables_are_refused():
    env = {f"NVIDIA_REQUIRE_{number}": "cuda>=1" for number in range(33)}
    assert len(read(**dict(list(env.items())[:32]))) == 32
    with pytest.raises(RequirementError, match="33 variables"):
        read(**env)


TERM = st.builds(
    "{}{}{}".format,
    st.sampled_from(["cuda", "driver", "arch", "brand", "Cuda", "x"]),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "=>", ""]),
    st.from_regex(r"[0-9.]{0,8}|[a-z]{1,6}", fullmatch=True),
)


@given(st.one_of(st.text(), st.lists(TERM, max_size=6).map(" ".join), st.lists(TERM, max_size=6).map(",".join)))
@settings(max_examples=300, deadline=None)
def test_arbitrary_text_is_read_or_refused(text):
    try:
        check(read(NVIDIA_REQUIRE_CUDA=text), FACTS, [H100])
    except RequirementError as error:
        assert error.message.isprintable()
