import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import FormatError
from linkspan.image import cuda_tags
from linkspan.image.dockerfile import parse
from linkspan.image.dockerfile_checks import all_rules, findings
from linkspan.image.dockerfile_model import base_of, on_cuda

RULES = {rule.id: rule for rule in all_rules()}


def ids(text, **arguments):
    return [finding.id for finding in findings(parse(text), arguments)]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_its_bad_example_and_nothing_else_there(name):
    assert set(ids(RULES[name].bad)) == {name}


@pytest.mark.parametrize("name", RULES)
def test_a_good_example_is_without_fault(name):
    assert ids(RULES[name].good) == []


def test_ids_are_unique_and_texts_are_sentences():
    assert len(RULES) == len(all_rules()) >= 30
    for rule in all_rules():
        assert rule.why.endswith(".")
        assert not rule.title.endswith(".")


@pytest.mark.parametrize("name", RULES)
def test_a_finding_says_what_to_do_on_a_line_of_the_file(name):
    for finding in findings(parse(RULES[name].bad)):
        assert 1 <= finding.line <= RULES[name].bad.count("\n")
        assert finding.cause
        assert finding.fix


@given(st.lists(st.sampled_from([line for rule in all_rules() for line in rule.bad.splitlines()]), max_size=12))
@settings(max_examples=150, deadline=None)
def test_lines_of_faulty_files_in_any_order_are_judged_or_refused(lines):
    text = "\n".join(lines)
    try:
        found = findings(parse(text))
    except FormatError:
        return
    assert all(1 <= one.line <= len(lines) for one in found)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "RUN apt-get update \\\n && apt-get install libcuda1=550.1 && rm -r /var/lib/apt/lists",
            "DF-DRIVER-1",
        ),
        ("RUN dnf install -y nvidia-driver && dnf clean all", "DF-DRIVER-1"),
        ("RUN <<EOF\napt-get update\napt-get install -y cuda-12-9\nrm -rf /var/lib/apt/lists/*\nEOF", "DF-DRIVER-2"),
        ("RUN dnf install -y kernel-devel-$(uname -r) && dnf clean all", "DF-DRIVER-3"),
        ("RUN bash <<EOF\nmodprobe nvidia\nEOF", "DF-DRIVER-3"),
        ('RUN ["sh", "-c", "modprobe nvidia"]', "DF-DRIVER-3"),
        ("RUN wget -q https://x/cuda_12.9.1_linux.run && sh cuda_12.9.1_linux.run --silent", "DF-DRIVER-4"),
        ('COPY ["libnvidia-ml.so.1", "/usr/lib/"]', "DF-DRIVER-5"),
        ("COPY --from=host /usr/bin/nvidia-smi /usr/bin/", "DF-DRIVER-5"),
        ("ENV NVIDIA_VISIBLE_DEVICES=GPU-1234", "DF-ENV-1"),
        ("ENV NVIDIA_DRIVER_CAPABILITIES compute, utility", "DF-ENV-3"),
        ("ENV NVIDIA_REQUIRE_CUDA=", "DF-ENV-5"),
        ("RUN nvidia-smi", "DF-BUILD-1"),
        ("RUN ln -s /usr/local/cuda/lib64/stubs/libcuda.so /usr/lib/libcuda.so.1 && make", "DF-LOADER-3"),
        ("RUN echo /usr/local/cuda/compat > /etc/ld.so.conf.d/compat.conf && ldconfig", "DF-LOADER-4"),
        ("RUN ldconfig /usr/local/cuda-$(echo $CUDA_VERSION | cut -d. -f1,2)/compat/", "DF-LOADER-4"),
        ('RUN X="$(nvidia-smi -L)" make', "DF-BUILD-1"),
        ("RUN uv pip install numpy", "DF-WEIGHT-2"),
        ("RUN conda install -y numpy", "DF-WEIGHT-2"),
        ("RUN python3 -m pip install -r requirements.txt", "DF-WEIGHT-2"),
        ("RUN huggingface-cli download org/model", "DF-FILES-2"),
        ("ENV WANDB_API_KEY=x", "DF-SECRET-1"),
    ],
)
def test_faults_are_found_in_every_way_of_writing(line, expected):
    assert ids(on_cuda(line)) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt-get update && apt-get install -y dkms && apt-get purge -y dkms && rm -rf /var/lib/apt/lists/*",
        "RUN echo apt-get install nvidia-driver",
        "ENV MAX_TOKENS=100 TOKENIZERS_PARALLELISM=false HF_TOKEN_FILE=/run/secrets/t",
        "RUN ln -s /usr/local/cuda/lib64/stubs/libcuda.so /usr/lib/libcuda.so.1 && make && rm /usr/lib/libcuda.so.1",
        "ENV PIP_NO_CACHE_DIR=1\nRUN pip install numpy",
        "RUN --mount=type=cache,target=/var/lib/apt apt-get update",
        "RUN cat <<EOF > /x\nnvidia-smi\nEOF",
        "# linkspan ignore=DF-ENV-2\nENV CUDA_VISIBLE_DEVICES=0",
    ],
)
def test_what_only_looks_like_a_fault_is_none(line):
    assert ids(on_cuda(line)) == []


@pytest.mark.parametrize(
    "text",
    [
        "FROM rocm/dev-ubuntu-22.04:6.3\nENV LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH\nUSER 1\n",
        "FROM python:3.12-slim\nRUN pip install --no-cache torch --index-url https://host/whl/cpu\nUSER 1\n",
    ],
)
def test_what_is_not_known_of_a_base_is_not_held_against_it(text):
    assert ids(text) == []


def test_a_fault_in_a_stage_of_which_nothing_reaches_the_image_is_none():
    bad = "FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS unused\nRUN apt-get install -y nvidia-driver-550\n"
    assert ids(bad + on_cuda()) == []


def test_a_fault_in_the_stage_that_the_last_is_built_on_counts():
    text = "FROM nvidia/cuda:12.9.1-base-ubuntu24.04 AS low\nENV CUDA_VISIBLE_DEVICES=0\nFROM low\nUSER 1\n"
    assert ids(text) == ["DF-ENV-2"]


def test_the_line_is_that_of_the_word_within_the_instruction():
    text = on_cuda(
        "RUN apt-get update && apt-get install -y \\\n curl \\\n nvidia-utils-550 && rm -rf /var/lib/apt/lists/*"
    )
    assert findings(parse(text))[0].line == 4


def test_a_rule_is_quiet_in_the_whole_file_where_its_top_says_so():
    assert ids("# linkspan ignore=DF-USER-1\n\nFROM nvidia/cuda:12.9.1-base-ubuntu24.04\n") == []


def test_a_base_given_by_argument_is_judged_by_its_value():
    text = 'ARG V=12.4.0\nFROM nvidia/cuda:${V}-runtime-ubuntu22.04\nUSER 1\nCMD ["a"]\n'
    assert ids(text) == ["DF-BASE-3"]
    assert ids(text, V="12.4.1") == []


@pytest.mark.parametrize(
    ("tag", "near"),
    [
        ("12.4-base-ubuntu22.04", "12.4.1-base-ubuntu22.04"),
        ("12.4.1-cudnn8-runtime-ubuntu22.04", "12.4.1-cudnn-runtime-ubuntu22.04"),
        ("12.2.2-cudnn-devel-ubuntu22.04", "12.2.2-cudnn8-devel-ubuntu22.04"),
        ("12.7.0-runtime-ubuntu22.04", "12.8.1-runtime-ubuntu22.04"),
        ("12.9.1-runtime", "12.9.1-runtime-ubuntu24.04"),
        ("12.9.1-runtime-alpine", "12.9.1-runtime-ubuntu24.04"),
        ("12.9.1-cudnn-base-ubuntu24.04", "12.9.1-base-ubuntu24.04"),
        ("12.9.1-runtime-cudnn-ubuntu24.04", "12.9.1-cudnn-runtime-ubuntu24.04"),
        ("12", ""),
    ],
)
def test_a_tag_that_does_not_exist_is_told_with_the_nearest_that_does(tag, near):
    assert cuda_tags.fault(tag)
    assert cuda_tags.nearest(tag) == near
    assert not near or not cuda_tags.fault(near)


def test_an_image_name_is_taken_apart():
    assert base_of("reg:5000/a/b:1@sha256:x") == ("reg:5000/a/b", "1", "sha256:x")
    assert base_of("reg:5000/a/b").tag == ""


@pytest.mark.parametrize(
    "text",
    [
        "RUN " + "\\\n".join(["$(" * 1000] * 100),
        "RUN " + "\\\n".join(["a $(b 'c' && d) ; " * 100] * 100),
        "RUN apt-get install " + "\\\n".join(["dkms " * 1000] * 40),
        "ENV A=$A$A\n" * 4000,
    ],
)
def test_a_hostile_text_is_judged_in_bounded_time(text):
    started = time.process_time()
    findings(parse(f"FROM a:1\n{text}\n"))
    assert time.process_time() - started < 10
