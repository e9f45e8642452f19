import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.image import dockerfile_fix
from linkspan.image.dockerfile import parse
from linkspan.image.dockerfile_checks import all_rules, findings
from linkspan.image.dockerfile_edit import without_word
from linkspan.image.dockerfile_fix import mend
from linkspan.image.dockerfile_mend import MENDERS
from linkspan.image.dockerfile_model import on_cuda

RULES = {rule.id: rule for rule in all_rules()}
BY_HAND = {"DF-LOADER-3"}
"""Rules that text alone mends in an ENV, and whose example is a RUN."""


@pytest.mark.parametrize("name", sorted(set(MENDERS) - BY_HAND))
def test_what_can_be_mended_is_without_fault_afterwards(name):
    mended = mend(RULES[name].bad)
    assert [one.id for one in mended.gone] == [name]
    assert mended.left == ()
    assert findings(parse(mended.after)) == []


@pytest.mark.parametrize("name", sorted((set(RULES) - set(MENDERS)) | BY_HAND))
def test_what_needs_thought_is_left_and_said(name):
    mended = mend(RULES[name].bad)
    assert mended.after == mended.before
    assert {one.id for one in mended.left} == {name}


@pytest.mark.parametrize("name", RULES)
def test_a_good_file_is_not_touched(name):
    assert mend(RULES[name].good).after == RULES[name].good


@given(st.lists(st.sampled_from([line for rule in all_rules() for line in rule.bad.splitlines()]), max_size=8))
@settings(max_examples=100, deadline=None)
def test_mending_never_adds_a_fault_and_comes_to_rest(lines):
    try:
        mended = mend("\n".join(lines))
    except FormatError:
        return
    before = {one.id for one in findings(parse(mended.before))}
    assert {one.id for one in mended.left} <= before
    assert mend(mended.after).after == mended.after


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        (
            "RUN apt-get update && apt-get install \\\n    curl \\\n    libcuda1 \\\n && rm -rf /var/lib/apt/lists/*",
            "RUN apt-get update && apt-get install \\\n    curl \\\n && rm -rf /var/lib/apt/lists/*",
        ),
        ("ENV A=1 CUDA_VISIBLE_DEVICES=0 B=2", "ENV A=1 B=2"),
        ("ENV A=1 \\\n    CUDA_VISIBLE_DEVICES=0", "ENV A=1"),
        ("ENV NVIDIA_DRIVER_CAPABILITIES Compute, video", "ENV NVIDIA_DRIVER_CAPABILITIES=compute,video"),
        ("RUN apt-get update \\\n && apt-get install -y curl", None),
        (
            "ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64/stubs:/opt/lib:$LD_LIBRARY_PATH",
            "ENV LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH",
        ),
        ("RUN uv pip install numpy", "RUN uv pip install --no-cache numpy"),
        ("RUN python3 -m pip install numpy", "RUN python3 -m pip install --no-cache-dir numpy"),
        ("RUN conda install -y numpy", "RUN conda install -y numpy && conda clean --all --yes"),
    ],
)
def test_only_the_fault_changes(bad, good):
    expected = good or f"{bad} \\\n && rm -rf /var/lib/apt/lists/*"
    assert mend(on_cuda(bad)).after == on_cuda(expected)


def test_comments_within_an_env_are_not_lost():
    text = on_cuda("ENV A=1 \\\n# why\n    CUDA_VISIBLE_DEVICES=0")
    assert mend(text).after == text


def test_the_user_is_set_after_what_needs_root():
    text = 'FROM nvidia/cuda:12.9.1-base-ubuntu24.04\nRUN make\nUSER root\nRUN make install\nENTRYPOINT ["/x"]'
    assert mend(text).after.endswith('RUN make install\nUSER 10001\nENTRYPOINT ["/x"]')


def test_a_diff_is_one_that_patch_applies(tmp_path):
    if not shutil.which("patch"):
        pytest.skip("the program patch is not here")
    text = on_cuda("ENV CUDA_VISIBLE_DEVICES=0", "RUN pip install numpy").rstrip("\n")
    mended = mend(text)
    (tmp_path / "Dockerfile").write_text(text)
    done = subprocess.run(
        ["patch", "-p1"], cwd=tmp_path, input=mended.diff("Dockerfile"), text=True, timeout=20, check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "Dockerfile").read_text() == mended.after


def test_without_a_change_there_is_no_diff():
    assert mend(on_cuda()).diff("Dockerfile") == ""


def test_of_faults_that_are_alike_those_are_told_whose_line_is_mended(monkeypatch):
    monkeypatch.setattr(dockerfile_fix, "_MOST", 3)
    mended = mend(on_cuda(*(f"RUN pip install --upgrade package{number}" for number in range(9))))
    assert 0 < len(mended.gone) < 9
    before, after = mended.before.splitlines(), mended.after.splitlines()
    assert [before[one.line - 1] in after for one in mended.gone] == [False] * len(mended.gone)
    assert all(before[one.line - 1] in after for one in mended.left)


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("RUN apt install -y a wrong b\n", "RUN apt install -y a b\n"),
        ("RUN apt install -y a wrong && x", "RUN apt install -y a && x"),
        ("RUN apt install -y a wrong", "RUN apt install -y a"),
        ("RUN apt install \\\n    a \\\n    wrong \\\n    b", "RUN apt install \\\n    a \\\n    b"),
    ],
)
def test_a_word_goes_with_the_blanks_behind_it(raw, left):
    assert without_word(raw, "wrong") == left
