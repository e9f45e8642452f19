"""The template for GitLab, its job's script as a runner runs it."""

import json
import os
import re
import sys
from xml.etree import ElementTree

import pytest

from tests.workplaces.runner import BAD, DOCKERFILES, GOOD, OTHERS, clean_env, loaded, run

HERE = os.path.dirname(sys.executable)


@pytest.fixture
def job(tmp_path):
    """Put Dockerfiles into a checkout, and run the job's script there; its exit code and what it printed."""

    def ran(files, **inputs):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        spec, jobs = loaded("templates/gitlab-ci.yml")
        given = {name: one["default"] for name, one in spec["spec"]["inputs"].items()} | inputs
        found = jobs["linkspan-dockerfiles"]
        variables = {
            name: re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda match: given[match[1]], value)
            for name, value in found["variables"].items()
        }
        env = clean_env() | variables | {"PATH": f"{HERE}:{os.environ['PATH']}", "CI": "true", "GITLAB_CI": "true"}
        done = run(["sh", "-ec", "\n".join(found["script"])], env, str(tmp_path))
        return done.returncode, done.stdout + done.stderr

    return ran


def reports(folder):
    """The reports that the job hands over, by what GitLab takes them for."""
    kept = loaded("templates/gitlab-ci.yml")[1]["linkspan-dockerfiles"]["artifacts"]
    assert kept["when"] == "always"
    return {kind: folder / name for kind, name in kept["reports"].items()}


def test_a_good_dockerfile_passes_and_its_reports_are_empty_but_there(job, tmp_path):
    assert job({"Dockerfile": GOOD})[0] == 0
    written = reports(tmp_path)
    assert json.loads(written["codequality"].read_text()) == []
    assert ElementTree.parse(written["junit"]).getroot().get("failures") == "0"


def test_a_bad_dockerfile_fails_and_both_reports_tell_where(job, tmp_path):
    code, said = job({"x y/Dockerfile": BAD})
    assert code
    assert "DF-DRIVER-1" in said
    written = reports(tmp_path)
    quality = json.loads(written["codequality"].read_text())
    found = next(one for one in quality if one["check_name"] == "DF-DRIVER-1")
    assert found["location"] == {"path": "x y/Dockerfile", "lines": {"begin": 2}}
    assert all(
        one["description"] and one["severity"] in ("info", "minor", "major", "critical", "blocker") for one in quality
    )
    assert len({one["fingerprint"] for one in quality}) == len(quality)
    failure = ElementTree.parse(written["junit"]).find(".//testcase[@name='DF-DRIVER-1']/failure")
    assert "x y/Dockerfile:2" in failure.text


def test_what_fails_the_job_is_an_input(job):
    files = {"Dockerfile": BAD.replace("nvidia-driver-535", "curl")}
    assert [bool(job(files, **{"fail-on": limit})[0]) for limit in ("critical", "info")] == [False, True]


def test_every_dockerfile_is_looked_at_and_no_other_file(job, tmp_path):
    job(dict.fromkeys((*DOCKERFILES, *OTHERS, ".git/refs/heads/Dockerfile"), BAD))
    quality = json.loads(reports(tmp_path)["codequality"].read_text())
    assert {one["location"]["path"] for one in quality} == set(DOCKERFILES)


def test_no_input_becomes_a_command(job, tmp_path):
    job({"Dockerfile": BAD}, **{"fail-on": '$(touch ran)"; touch ran; "', "linkspan": "`touch ran`"})
    assert not (tmp_path / "ran").exists()
