"""A Dockerfile as what is checked: told by its content, judged with its lines."""

import pytest

from linkspan.errors import FormatError
from linkspan.image import dockerfile_source

DRIVER = "# syntax=docker/dockerfile:1\n\nFROM debian:12\nRUN apt-get update && apt-get install -y nvidia-driver-535\n"


@pytest.mark.parametrize(
    "text", [DRIVER, "ARG A=1\nFROM $A\n", "from scratch\n", "ARG A\nFROM $A\n", "FROM --platform=linux/arm64 a AS b\n"]
)
def test_it_is_told_by_what_it_begins_with(text, tmp_path):
    (tmp_path / "any").write_text(text)
    assert dockerfile_source.is_dockerfile(str(tmp_path / "any"))


@pytest.mark.parametrize(
    "data", [b"", b"# x\nfrom os import path\n", b"RUN true\n", b"FROM\n", b"\xff\xfeFROM a\n", b"\0" * 512]
)
def test_other_files_are_none(data, tmp_path):
    (tmp_path / "Dockerfile").write_bytes(data)
    assert not dockerfile_source.is_dockerfile(str(tmp_path / "Dockerfile"))
    assert not dockerfile_source.is_dockerfile(str(tmp_path))
    assert not dockerfile_source.is_dockerfile(str(tmp_path / "none"))


def test_its_findings_have_file_and_line(tmp_path):
    path = str(tmp_path / "Dockerfile")
    (tmp_path / "Dockerfile").write_text(DRIVER)
    (found,) = (one for one in dockerfile_source.findings(path) if one.id == "DF-DRIVER-1")
    assert (found.area, found.file, found.line, found.paths) == ("dockerfile", path, 4, ())


def test_what_no_builder_builds_is_refused_with_the_files_name(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPPY a b\n")
    with pytest.raises(FormatError, match="Dockerfile: "):
        dockerfile_source.findings(str(tmp_path / "Dockerfile"))
