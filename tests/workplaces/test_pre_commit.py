"""The hooks for pre-commit, run by pre-commit itself from a commit of this tree."""

import os
import re
import sys

import pytest

from tests.debian import UnavailableError
from tests.workplaces.runner import BAD, DOCKERFILES, GOOD, OTHERS, clean_env, git, repository, run, tree

MENDABLE = "FROM debian:12.5-slim\nENV CUDA_VISIBLE_DEVICES=0\nUSER 1\n"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """A repository of ours, at the commit that pre-commit takes, and the folder for its environments."""
    return tree(str(tmp_path_factory.mktemp("hooks"))), str(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def committing(hooks, tmp_path):
    """Run a hook on files of a repository as ``pre-commit run``; its exit code and what it printed."""
    url, home = hooks

    def ran(hook, files):
        config = f"repos:\n- repo: {url}\n  rev: {git(url, 'rev-parse', 'HEAD').strip()}\n  hooks:\n  - id: {hook}\n"
        for name, content in {**files, ".pre-commit-config.yaml": config}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        repository(str(tmp_path))
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        env = clean_env() | {"PRE_COMMIT_HOME": home, "PRE_COMMIT_COLOR": "never"} | nobody
        program = f"{os.path.dirname(sys.executable)}/pre-commit"
        done = run([program, "run", "--all-files", "--verbose"], env, str(tmp_path))
        said = done.stdout + done.stderr
        if "CalledProcessError" in said and re.search("No matching distribution|connection|resolve", said):
            raise UnavailableError("pre-commit has no way to the packages that the hooks' environment needs")
        return done.returncode, said

    return ran


def test_a_good_dockerfile_may_be_committed(committing):
    code, said = committing("linkspan-dockerfile", {"Dockerfile": GOOD})
    assert code == 0, said
    assert "Passed" in said


def test_a_bad_one_may_not_and_the_change_is_shown(committing, tmp_path):
    code, said = committing("linkspan-dockerfile", {"a b/Dockerfile": MENDABLE})
    assert code == 1
    assert "-ENV CUDA_VISIBLE_DEVICES=0" in said
    assert "a b/Dockerfile:2: warning DF-ENV-2" in said
    assert (tmp_path / "a b/Dockerfile").read_text() == MENDABLE


def test_the_other_hook_mends_it_leaves_no_backup_and_then_passes(committing, tmp_path):
    code, said = committing("linkspan-dockerfile-fix", {"Dockerfile": MENDABLE})
    assert code == 1, said
    assert "files were modified by this hook" in said
    mended = (tmp_path / "Dockerfile").read_text()
    assert "CUDA_VISIBLE_DEVICES" not in mended
    assert not (tmp_path / "Dockerfile.bak").exists()
    assert committing("linkspan-dockerfile-fix", {"Dockerfile": mended})[0] == 0


def test_a_fault_that_nothing_mends_keeps_it_from_being_committed(committing):
    code, said = committing("linkspan-dockerfile-fix", {"Dockerfile": BAD.replace("USER 1", "COPY x.gguf /\nUSER 1")})
    assert code == 1
    assert "DF-FILES-2" in said


def test_other_files_are_none_of_its_business(committing):
    code, said = committing("linkspan-dockerfile", dict.fromkeys(OTHERS, BAD))
    assert code == 0
    assert "Skipped" in said


def test_every_dockerfile_is_looked_at(committing):
    _, said = committing("linkspan-dockerfile", dict.fromkeys(DOCKERFILES, MENDABLE))
    assert [name for name in DOCKERFILES if f"{name}:2: " not in said] == []
