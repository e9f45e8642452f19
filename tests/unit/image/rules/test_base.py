"""Rules on what an image is built upon, and how it starts."""

import pytest

from linkspan.image.model import Entry, Hidden, Image, Layer
from linkspan.image.registry import findings
from tests.unit.image.images import file, folder, image, library, link, text, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

_NVIDIA = ("NVARCH=x86_64", "NV_CUDA_CUDART_VERSION=12.4.127-1")
_CUDART = library("/usr/lib/libcudart.so.12.4.127", soname="libcudart.so.12")
_MUSL = library("/lib/ld-musl-x86_64.so.1", size=650_000)
_ENTRYPOINT = file("/opt/nvidia/nvidia_entrypoint.sh")
_SOURCE = {"org.opencontainers.image.source": "https://example.org/app"}


def _os_release(name: str, version: str) -> Entry:
    return text("/usr/lib/os-release", f'ID={name}\nVERSION_ID="{version}"\nPRETTY_NAME="{name.title()} {version}"\n')


def _on(name: str, version: str) -> Image:
    return image(_os_release(name, version), link("/etc/os-release", "../usr/lib/os-release"))


CASES = (
    Case(
        "I-BASE-1",
        image(env=(*_NVIDIA, "LIBRARY_PATH=/usr/local/cuda/lib64/stubs", "CUDA_VERSION=12.4.1")),
        image(wheel("deep_gemm", "1.0"), env=(*_NVIDIA, "NV_NVML_DEV_VERSION=12.4.127-1")),
    ),
    Case("I-BASE-2", image(env=("CUDA_VERSION=10.2.89",)), image(_CUDART, env=("CUDA_VERSION=12.4.1",))),
    Case(
        "I-BASE-3",
        image(env=(*_NVIDIA, "CUDA_VERSION=12.4.0")),
        image(env=(*_NVIDIA, "CUDA_VERSION=12.4.1")),
    ),
    Case("I-BASE-4", _on("ubuntu", "18.04"), _on("ubuntu", "24.04")),
    Case("I-BASE-5", image(user="0:0"), image(user="1000:0")),
    Case("I-BASE-6", image(labels={"maintainer": "me"}), image(labels=_SOURCE)),
    Case(
        "I-BASE-7",
        image(_MUSL, env=("NVIDIA_VISIBLE_DEVICES=all",)),
        image(_MUSL, env=("NVIDIA_VISIBLE_DEVICES=void",)),
    ),
    Case(
        "I-BASE-8",
        image(_ENTRYPOINT, entrypoint=("/app/start",)),
        image(_ENTRYPOINT, entrypoint=("/opt/nvidia/nvidia_entrypoint.sh", "/app/start")),
    ),
    Case(
        "I-BASE-9",
        image(cmd=("/bin/sh", "-c", "python serve.py")),
        image(cmd=("/bin/sh", "-c", "exec python serve.py")),
    ),
    Case(
        "I-BASE-10",
        image(file("/root/.netrc")),
        image(
            file("/root/.netrc.example"), folder("/root/.ssh"), file("/root/.ssh/known_hosts"), file("/root/.pypirc", 0)
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_on_the_base_tells_its_fault_from_what_only_looks_like_it(case: Case):
    judge(case)


def test_every_rule_on_the_base_has_its_fixtures():
    assert {case.rule for case in CASES} == ids("base")


def test_an_image_that_nvidia_marked_is_told_so():
    marked = image(_CUDART, env=("NVIDIA_CUDA_END_OF_LIFE=1", "CUDA_VERSION=12.4.1"))
    assert "deletes it" in ask("I-BASE-2", marked)[0].cause


def test_a_point_release_is_judged_only_where_the_base_is_nvidias():
    assert not ask("I-BASE-3", image(env=("CUDA_VERSION=12.4.0",)))
    assert not ask("I-BASE-3", image(env=(*_NVIDIA, "CUDA_VERSION=12.4.1.003")))


@pytest.mark.parametrize(("name", "version"), [("centos", "7"), ("rhel", "7.9"), ("debian", "10"), ("amzn", "2")])
def test_distributions_of_the_past_are_known(name: str, version: str):
    (finding,) = ask("I-BASE-4", _on(name, version))
    assert "whose support ended in" in finding.cause


@pytest.mark.parametrize(("name", "version"), [("rocky", "8.9"), ("debian", "12"), ("alpine", "3.22.0"), ("", "")])
def test_distributions_of_today_and_unknown_ones_are_let_be(name: str, version: str):
    assert not ask("I-BASE-4", _on(name, version))


def test_musl_beside_a_whole_glibc_is_no_fault_and_beside_a_stand_in_it_is():
    stand_in, whole = library("/lib/libc.so.6", size=60_000), library("/usr/glibc-compat/lib/libc.so.6", size=2_000_000)
    assert ask("I-BASE-7", image(_MUSL, _CUDART, stand_in))
    assert not ask("I-BASE-7", image(_MUSL, _CUDART, whole))


def test_credentials_that_a_later_layer_hides_are_found_in_the_lower_one():
    layers = (Layer(number=0), Layer(number=1, command="COPY .netrc /root/"), Layer(number=2))
    gone = image(hidden=(Hidden(path="/root/.netrc", layer=1, size=80, by=2),), layers=layers)
    (finding,) = ask("I-BASE-10", gone)
    assert (finding.layer, finding.layer_command) == (1, "COPY .netrc /root/")


def test_an_empty_image_is_told_of_root_and_labels_and_nothing_else():
    found = {finding.id for finding in findings(image()) if finding.area in ("boundary", "variables", "weight", "base")}
    assert found == {"I-BASE-5", "I-BASE-6"}
