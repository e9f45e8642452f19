import json
import os

import pytest

from linkspan.cli import output


@pytest.fixture
def project(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.9.1\n")
    return tmp_path


def test_init_writes_both_files_once_and_leaves_them_as_they_are_the_next_time(image, project):
    assert f"wrote {project}/Dockerfile" in image("init", str(project)).out
    assert (project / ".dockerignore").exists()
    assert f"is up to date: {project}/Dockerfile" in image("init", str(project)).out
    assert not list(project.glob("*.bak"))


def test_init_does_not_overwrite_without_force_and_keeps_a_backup_with_it(image, project):
    (project / "Dockerfile").write_text("FROM mine:1\n")
    said = image("init", str(project), code=output.FAILED).err
    assert "is there already" in said
    assert "--force" in said
    assert not (project / ".dockerignore").exists()
    image("init", str(project), "--force")
    assert (project / "Dockerfile.bak").read_text() == "FROM mine:1\n"
    assert "torch" not in (project / "Dockerfile.bak").read_text()
    (project / "Dockerfile").write_text("FROM mine:2\n")
    image("init", str(project), "--force")
    assert (project / "Dockerfile.bak.1").read_text() == "FROM mine:2\n"


def test_init_dry_run_prints_and_writes_nothing(image, project):
    assert "FROM python:" in image("init", str(project), "--dry-run").out
    assert os.listdir(project) == ["requirements.txt"]


def test_init_json_has_kind_files_and_reasons(image, project):
    told = json.loads(image("init", str(project), "--dry-run", "--json").out)
    assert told["kind"] == "pytorch"
    assert [draft["action"] for draft in told["drafts"]] == ["create", "create"]
    assert told["written"] is False
    assert told["reasons"]


def test_init_of_an_empty_folder_says_what_it_looked_for(image, tmp_path):
    assert "requirements.txt" in image("init", str(tmp_path), code=output.FAILED).err
