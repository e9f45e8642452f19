import json
import os

import pytest

from linkspan.cli import main, output


@pytest.fixture
def run(capsys):
    """Run a command line; what was printed."""

    def call(*argv, code=output.OK):
        assert main.run(["image", *argv]) == code
        return capsys.readouterr()

    return call


@pytest.fixture
def project(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.9.1\n")
    return tmp_path


def test_init_writes_both_files_once_and_leaves_them_as_they_are_the_next_time(run, project):
    assert f"wrote {project}/Dockerfile" in run("init", str(project)).out
    assert (project / ".dockerignore").exists()
    assert f"is up to date: {project}/Dockerfile" in run("init", str(project)).out
    assert not list(project.glob("*.bak"))


def test_init_does_not_overwrite_without_force_and_keeps_a_backup_with_it(run, project):
    (project / "Dockerfile").write_text("FROM mine:1\n")
    said = run("init", str(project), code=output.FAILED).err
    assert "is there already" in said
    assert "--force" in said
    assert not (project / ".dockerignore").exists()
    run("init", str(project), "--force")
    assert (project / "Dockerfile.bak").read_text() == "FROM mine:1\n"
    assert "torch" not in (project / "Dockerfile.bak").read_text()
    (project / "Dockerfile").write_text("FROM mine:2\n")
    run("init", str(project), "--force")
    assert (project / "Dockerfile.bak.1").read_text() == "FROM mine:2\n"


def test_init_dry_run_prints_and_writes_nothing(run, project):
    assert "FROM python:" in run("init", str(project), "--dry-run").out
    assert os.listdir(project) == ["requirements.txt"]


def test_init_json_has_kind_files_and_reasons(run, project):
    told = json.loads(run("init", str(project), "--dry-run", "--json").out)
    assert told["kind"] == "pytorch"
    assert [draft["action"] for draft in told["drafts"]] == ["create", "create"]
    assert told["written"] is False
    assert told["reasons"]


def test_init_of_an_empty_folder_says_what_it_looked_for(run, tmp_path):
    assert "requirements.txt" in run("init", str(tmp_path), code=output.FAILED).err
