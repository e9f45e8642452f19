"""A Dockerfile as what is checked: told by its content, judged with its lines."""

import pytest

from linkspan.errors import FormatError
from linkspan.image import dockerfile_source
from linkspan.image.dockerfile_checks import all_rules

DRIVER = "# syntax=docker/dockerfile:1\n\nFROM debian:12\nRUN apt-get update && apt-get install -y nvidia-driver-535\n"


@pytest.mark.parametrize(
    "text",
    [
        *[DRIVER, "ARG A=1\nFROM $A\n", "from scratch\n", "ARG A\nFROM $A\n", "FROM --platform=linux/arm64 a AS b\n"],
        *["\ufeffFROM a\r\nUSER 1\r\n", "\ufeff# a comment\nFROM a\n"],
    ],
)
def test_it_is_told_by_what_it_begins_with(text, tmp_path):
    (tmp_path / "any").write_text(text)
    assert dockerfile_source.is_dockerfile(str(tmp_path / "any"))


@pytest.mark.parametrize(
    "data", [b"", b"# x\nfrom os import path\n", b"RUN true\n", b"FROM\n", b"\xff\xfeFROM a\n", b"\0" * 512]
)
def test_other_files_are_none(data, tmp_path):
    (tmp_path / "any").write_bytes(data)
    assert not dockerfile_source.is_dockerfile(str(tmp_path / "any"))
    assert not dockerfile_source.is_dockerfile(str(tmp_path))
    assert not dockerfile_source.is_dockerfile(str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu", "Containerfile", "Dockerfile-cpu", "x.dockerfile"])
def test_a_broken_one_is_told_by_its_name_and_what_is_wrong_with_it_is_said(name, tmp_path):
    (tmp_path / name).write_text("FORM debian:12\n")
    assert dockerfile_source.is_dockerfile(str(tmp_path / name))
    with pytest.raises(FormatError, match="line 1: there is no instruction 'FORM'"):
        dockerfile_source.findings(str(tmp_path / name))


@pytest.mark.parametrize("data", [b"", b"\0" * 512, b"x\0y"])
def test_an_image_is_none_however_it_is_called(data, tmp_path):
    (tmp_path / "Dockerfile").write_bytes(data)
    assert not dockerfile_source.is_dockerfile(str(tmp_path / "Dockerfile"))


def test_its_findings_have_file_and_line(tmp_path):
    path = str(tmp_path / "Dockerfile")
    (tmp_path / "Dockerfile").write_text(DRIVER)
    (found,) = (one for one in dockerfile_source.findings(path) if one.id == "DF-DRIVER-1")
    assert (found.area, found.file, found.line, found.paths) == ("dockerfile", path, 4, ())


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_the_examples_of_every_rule_are_dockerfiles_that_break_it_alone_and_nothing(rule, tmp_path):
    for text, expected in ((rule.bad, {rule.id}), (rule.good, set())):
        (tmp_path / "Dockerfile").write_text(text)
        assert dockerfile_source.is_dockerfile(str(tmp_path / "Dockerfile"))
        assert {one.id for one in dockerfile_source.findings(str(tmp_path / "Dockerfile"))} == expected


def test_what_no_builder_builds_is_refused_with_the_files_name(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPPY a b\n")
    with pytest.raises(FormatError, match="Dockerfile: "):
        dockerfile_source.findings(str(tmp_path / "Dockerfile"))
