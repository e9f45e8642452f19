"""Names of images."""

import pytest

from linkspan.errors import RequestError
from linkspan.image import reference

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ubuntu", "docker.io/library/ubuntu:latest"),
        ("nvidia/cuda:12.4.1-base-ubuntu22.04", "docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04"),
        ("index.docker.io/nvidia/cuda", "docker.io/nvidia/cuda:latest"),
        ("nvcr.io/nvidia/pytorch:24.01-py3", "nvcr.io/nvidia/pytorch:24.01-py3"),
        ("localhost/app", "localhost/app:latest"),
        ("registry.example:5000/team/app", "registry.example:5000/team/app:latest"),
        (f"app@{DIGEST}", f"docker.io/library/app@{DIGEST}"),
        (f"app:1@{DIGEST}", f"docker.io/library/app@{DIGEST}"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(text, whole):
    assert str(reference.parse(text)) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UPPER/case",
        "a//b",
        "app:",
        "app:.tag",
        "app@sha256:12",
        "../etc",
        "http://x/y",
        "a b",
        "x/" + "y" * 300,
        "-a",
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(RequestError, match="is no name of an image"):
        reference.parse(text)


def test_docker_hub_answers_at_another_host():
    assert reference.parse("ubuntu").api_host == "registry-1.docker.io"
    assert reference.parse("nvcr.io/x").api_host == "nvcr.io"
