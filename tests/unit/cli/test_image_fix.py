"""``linkspan image fix`` as people and programs use it."""

import io
import json
import os
import re

import pytest

from linkspan.cli import output
from linkspan.image.dockerfile_model import on_cuda

BAD = on_cuda("ENV CUDA_VISIBLE_DEVICES=0", "COPY model.gguf /opt/")


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(BAD)
    path.chmod(0o640)
    return path


def test_fix_prints_a_diff_and_what_is_left_and_changes_nothing(image, bad):
    said = image("fix", str(bad), code=output.FAILED)
    assert "-ENV CUDA_VISIBLE_DEVICES=0" in said.out
    assert "DF-ENV-2" in said.err
    assert ":3: warning DF-FILES-2" in said.err
    assert said.err.endswith("hint: --write makes the change\n")
    assert bad.read_text() == BAD


def test_fix_write_changes_the_file_with_a_backup_and_its_mode(image, bad):
    image("fix", str(bad), "--write", code=output.FAILED)
    assert "CUDA_VISIBLE_DEVICES" not in bad.read_text()
    assert bad.stat().st_mode & 0o777 == 0o640
    assert (bad.parent / "Dockerfile.bak").read_text() == BAD
    image("fix", str(bad), "--write", "--fail-on", "error")
    assert not (bad.parent / "Dockerfile.bak.1").exists()


def test_fix_without_backup_leaves_none(image, bad):
    image("fix", str(bad), "--write", "--no-backup", code=output.FAILED)
    assert os.listdir(bad.parent) == ["Dockerfile"]


def test_fix_json_has_diff_mended_and_left(image, bad):
    told = json.loads(image("fix", str(bad), "--json", code=output.FAILED).out)[0]
    assert [one["id"] for one in told["mended"]] == ["DF-ENV-2"]
    assert [one["id"] for one in told["left"]] == ["DF-FILES-2"]
    assert told["diff"].startswith("--- a/")


def test_fix_annotates_for_github_on_one_line_each(image, bad):
    lines = image("fix", str(bad), "--github", code=output.FAILED).out.splitlines()
    assert len(lines) == 2
    assert all(re.match(r"::(warning|error|notice) file=\S+,line=\d+,title=DF-", line) for line in lines)


def test_fix_of_a_clean_file_says_nothing(image, tmp_path):
    (tmp_path / "Dockerfile").write_text(on_cuda())
    said = image("fix", str(tmp_path / "Dockerfile"))
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize(
    ("content", "code", "cause"),
    [
        (b"FROM a\nRUNN x\n", output.CANNOT_LOOK, "line 2: there is no instruction"),
        (b"\xff\xfe", output.CANNOT_LOOK, "no text in UTF-8"),
        (None, output.CANNOT_LOOK, "no such file"),
    ],
)
def test_fix_of_what_is_no_dockerfile_says_so(image, tmp_path, content, code, cause):
    path = tmp_path / "Dockerfile"
    if content is not None:
        path.write_bytes(content)
    assert cause in image("fix", str(path), code=code).err.replace("\n", " ")


def test_fix_with_an_unknown_severity_is_wrong_usage(image, bad):
    assert "not one of" in image("fix", str(bad), "--fail-on", "awful", code=output.USAGE).err


def test_one_broken_file_does_not_keep_the_others_from_being_judged(image, bad, tmp_path):
    (tmp_path / "Broken").write_text("FROM a\nRUNN x\n")
    said = image("fix", str(tmp_path / "Broken"), str(bad), str(tmp_path / "none"), code=output.CANNOT_LOOK)
    assert "-ENV CUDA_VISIBLE_DEVICES=0" in said.out
    assert "line 2: there is no instruction" in said.err
    assert "none: no such file" in said.err
    told = json.loads(image("fix", str(tmp_path / "Broken"), str(bad), "--json", code=output.CANNOT_LOOK).out)
    assert "no instruction" in told[0]["error"]
    assert told[1]["diff"]


def test_a_broken_file_is_annotated_at_its_line(image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b%.dockerfile").write_text("FROM a\nRUNN x\n")
    said = image("fix", "--github", str(tmp_path / "a,b%.dockerfile"), code=output.CANNOT_LOOK).out
    assert said.startswith("::error file=a%2Cb%25.dockerfile,line=2,title=cannot be read::")


def test_reports_for_programs_are_written_beside_the_diff(image, bad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Broken").write_text("FROM a\nRUNN x\n")
    options = ("--sarif", "s", "--junit", "j", "--code-quality", "q")
    said = image("fix", "./Dockerfile", "Broken", *options, code=output.CANNOT_LOOK)
    assert "-ENV CUDA_VISIBLE_DEVICES=0" in said.out
    log = json.loads((tmp_path / "s").read_text())["runs"][0]
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in log["results"]} == {
        "Dockerfile"
    }
    assert log["invocations"][0]["executionSuccessful"] is False
    quality = json.loads((tmp_path / "q").read_text())
    assert [(one["location"]["path"], one["location"]["lines"]["begin"]) for one in quality] == [
        ("Broken", 2),
        ("Dockerfile", 2),
        ("Dockerfile", 3),
    ]
    assert 'errors="1"' in (tmp_path / "j").read_text()


def test_equal_faults_have_marks_of_their_own_that_stay_when_lines_move(image, tmp_path):
    path = tmp_path / "Dockerfile"

    def marks(text):
        path.write_text(text)
        printed = image("fix", str(path), "--code-quality", "-", code=output.FAILED).out
        return [one["fingerprint"] for one in json.loads(printed)]

    text = on_cuda("COPY model.gguf /opt/", "COPY model.gguf /opt/")
    first = marks(text)
    assert len(set(first)) == len(first) == 2
    assert marks(f"# a comment\n{text}") == first


def test_only_one_thing_is_printed(image, bad):
    assert "choose one" in image("fix", str(bad), "--json", "--sarif", "-", code=output.USAGE).err


def test_a_symlink_stays_one(image, bad, tmp_path):
    (tmp_path / "link").symlink_to("Dockerfile")
    image("fix", str(tmp_path / "link"), "--write", code=output.FAILED)
    assert (tmp_path / "link").is_symlink()
    assert "CUDA_VISIBLE_DEVICES" not in bad.read_text()
    assert (tmp_path / "Dockerfile.bak").read_text() == BAD


@pytest.mark.parametrize("argv", [("-", "--write"), ("-", "-")])
def test_standard_input_is_read_once_and_never_written(image, argv):
    assert "standard input cannot be" in image("fix", *argv, code=output.USAGE).err


def test_standard_input_is_called_so(image, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert image("fix", "-", code=output.CANNOT_LOOK).err.startswith(
        "linkspan: standard input: the Dockerfile has no FROM"
    )
