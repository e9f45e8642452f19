"""Device programs run here give the answers that the kernel would."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.formats import devicebpf
from linkspan.kernel import bpf

NO = pack("<BBhi", 0xB7, 0, 0, 0) + pack("<BBhi", 0x95, 0, 0, 0)
"""r0 = 0; exit: what a program ends with that refuses all else."""


def rule(major: int, minor: int, access: str = "rwm", type_: str = "c") -> dict[str, object]:
    return {"type": type_, "major": major, "minor": minor, "access": access}


def program(*rules: dict[str, object]) -> bytes:
    return bpf.allowing(list(rules)) + NO


def test_what_is_allowed_is_allowed_and_nothing_else():
    code = program(rule(195, 0), rule(195, 255, "rw"))
    assert devicebpf.allows(code, "c", 195, 0, "rw")
    assert devicebpf.allows(code, "c", 195, 255, "r")
    assert not devicebpf.allows(code, "c", 195, 255, "m")
    assert not devicebpf.allows(code, "c", 195, 1, "r")
    assert not devicebpf.allows(code, "b", 195, 0, "r")


RULES = st.lists(
    st.builds(
        rule,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["r", "w", "m", "rw", "rm", "rwm"]),
        st.sampled_from(["b", "c"]),
    ),
    max_size=5,
)


@given(RULES, st.sampled_from(["b", "c"]), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["r", "w", "rw", "m"]))
def test_a_program_says_what_its_rules_say(rules, type_, major, minor, access):
    said = devicebpf.allows(program(*rules), type_, major, minor, access)
    fitting = [one for one in rules if (one["type"], one["major"], one["minor"]) == (type_, major, minor)]
    assert said == any(set(access) <= set(str(one["access"])) for one in fitting)


def step(code: int, to: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return pack("<BBhi", code, source << 4 | to, offset, number)


EXIT = step(0x95)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (step(0x61, 0, 1, 4) + EXIT, True),  # r0 = major
        (step(0xB7, 0, number=1) + step(0x05, offset=1) + step(0xB7, 0, number=0) + EXIT, True),  # jump over
        (step(0x18, 0, number=1) + step(0, number=0) + EXIT, True),  # a wide constant
        (step(0xB7, 2, number=8) + step(0xBF, 0, 2) + step(0x77, 0, number=3) + EXIT, True),  # 8 >> 3
        (step(0xB7, 0, number=1) + step(0x67, 0, number=32) + EXIT, False),  # the answer is the low word
        (step(0xB4, 0, number=-1) + step(0x04, 0, number=1) + EXIT, False),  # 32 bits run over
        (step(0xB7, 0, number=5) + step(0x17, 0, number=5) + EXIT, False),
        (step(0xB7, 0, number=4) + step(0x47, 0, number=1) + step(0xA7, 0, number=5) + EXIT, False),  # | then ^
        (step(0xB7, 0, number=1) + step(0x25, 0, offset=1, number=0) + step(0xB7, 0) + EXIT, True),  # >
        (step(0xB7, 0, number=1) + step(0x35, 0, offset=1, number=1) + step(0xB7, 0) + EXIT, True),  # >=
        (step(0xB7, 0, number=2) + step(0x45, 0, offset=1, number=2) + step(0xB7, 0) + EXIT, True),  # a bit is set
        (step(0xB7, 0, number=1) + step(0xA5, 0, offset=1, number=2) + step(0xB7, 0) + EXIT, True),  # <
        (step(0xB7, 0, number=1) + step(0xB5, 0, offset=1, number=1) + step(0xB7, 0) + EXIT, True),  # <=
        (step(0xB7, 0, number=1) + step(0x16, 0, offset=1, number=1) + step(0xB7, 0) + EXIT, True),  # == of 32 bits
    ],
)
def test_the_instructions_of_runtimes_are_known(code, answer):
    assert devicebpf.allows(code, "c", 195, 0, "r") is answer


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (b"", "jumps out of itself"),
        (step(0x05, offset=-2) + EXIT, "jumps out of itself"),
        (step(0x05, offset=-1) + EXIT, "does not end"),
        (step(0x85) + EXIT, "has the instruction 0x85"),
        (step(0x61, 0, 2, 4) + EXIT, "has the instruction 0x61"),
        (step(0x61, 0, 1, 12) + EXIT, "has the instruction 0x61"),
        (step(0xD7) + EXIT, "has the instruction 0xd7"),
        (step(0xD5) + EXIT, "has the instruction 0xd5"),
        (step(0x18), "has the instruction 0x18"),
    ],
)
def test_what_is_not_known_is_not_judged(code, reason, monkeypatch):
    monkeypatch.setattr(devicebpf, "MOST_STEPS", 1000)
    with pytest.raises(FormatError, match=reason):
        devicebpf.allows(code, "c", 195, 0, "r")
