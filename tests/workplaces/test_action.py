"""The GitHub Action, step by step, as a runner runs it."""

import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from tests.debian import UnavailableError
from tests.unit.image import writer
from tests.workplaces.runner import (
    BAD,
    DOCKERFILES,
    GOOD,
    OTHERS,
    clean_env,
    commands,
    loaded,
    repository,
    run,
    upload_refuses,
)
from tests.workplaces.runner import tree as copied

TEMPLATE = re.compile(r"\$\{\{\s*(?:inputs\.([\w-]+)|(github\.action_path))\s*\}\}")


class Job(NamedTuple):
    """A job on a runner that has installed the action: its checkout, and the folder for its temporary files."""

    checkout: str
    temporary: str
    programs: str

    def step(self, name: str, **inputs: str) -> "tuple[int, str]":
        """Run a step; its exit code and what it printed. ``fail_on`` is the input ``fail-on``."""
        given = {key.replace("_", "-"): value for key, value in inputs.items()}
        path = f"{self.programs}:{os.environ['PATH']}"
        done = stepped(name, given, {"PATH": path, "RUNNER_TEMP": self.temporary}, self.checkout)
        return done.returncode, done.stdout + done.stderr

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into the checkout, and commit them."""
        for name, content in files.items():
            os.makedirs(os.path.dirname(f"{self.checkout}/{name}"), exist_ok=True)
            with open(f"{self.checkout}/{name}", "w", encoding="utf-8") as file:
                file.write(content)
        repository(self.checkout)


def stepped(name, inputs, variables, folder, action_path=""):
    """Run a step's script by bash as GitHub documents it, with the step's own variables."""
    action = loaded("action.yml")[0]
    step = next(one for one in action["runs"]["steps"] if one["name"] == name)
    known = {key: one["default"] for key, one in action["inputs"].items()} | inputs

    def said(match):
        return action_path if match[2] else known[match[1]]

    own = {key: TEMPLATE.sub(said, value) for key, value in step["env"].items()}
    assert step["shell"] == "bash"
    script = f"{variables['RUNNER_TEMP']}/script.sh"
    with open(script, "w", encoding="utf-8") as file:
        file.write(step["run"])
    env = clean_env() | variables | own | {"GITHUB_ACTIONS": "true", "CI": "true"}
    return run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script], env, folder)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder that the action's first step adds to the path: linkspan, installed from a copy of this tree."""
    temporary = str(tmp_path_factory.mktemp("runner"))
    here = copied(str(tmp_path_factory.mktemp("action")))
    variables = {"RUNNER_TEMP": temporary, "GITHUB_PATH": f"{temporary}/path"}
    done = stepped("Install linkspan", {}, variables, temporary, action_path=here)
    if done.returncode and re.search("No matching distribution|connection|resolve", done.stderr):
        raise UnavailableError("pip has no way to the packages that linkspan needs")
    assert done.returncode == 0, done.stderr
    with open(f"{temporary}/path", encoding="utf-8") as file:
        return file.read().strip()


@pytest.fixture
def job(programs, tmp_path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "tmp").mkdir()
    return Job(str(tmp_path / "checkout"), str(tmp_path / "tmp"), programs)


def test_the_action_installs_the_tree_that_it_is_of(programs, job):
    done = run([f"{programs}/linkspan", "--version"], clean_env(), job.temporary)
    assert done.stdout.startswith("linkspan ")


def test_a_good_dockerfile_passes_without_a_word(job):
    job.write({"Dockerfile": GOOD})
    assert job.step("Check Dockerfiles") == (0, "")


def test_a_bad_dockerfile_fails_with_an_annotation_at_its_line(job):
    job.write({"a,b/50%: c/Dockerfile": BAD})
    code, said = job.step("Check Dockerfiles")
    assert code == 1
    found = next(one for one in commands(said) if one.properties["title"].startswith("DF-DRIVER-1"))
    assert found.name == "error"
    assert (found.properties["file"], found.properties["line"]) == ("a,b/50%: c/Dockerfile", "2")
    assert "nvidia-driver-535" in found.text


def test_what_fails_the_job_is_an_input(job):
    job.write({"Dockerfile": BAD.replace("nvidia-driver-535", "curl")})
    codes = [job.step("Check Dockerfiles", fail_on=limit)[0] for limit in ("critical", "info", "awful")]
    assert codes == [0, 1, 2]


def test_every_dockerfile_of_the_repository_is_looked_at_and_no_other_file(job):
    job.write(dict.fromkeys((*DOCKERFILES, *OTHERS), BAD))
    _, said = job.step("Check Dockerfiles")
    assert {one.properties["file"] for one in commands(said)} == set(DOCKERFILES)


def test_a_repository_without_a_dockerfile_passes_and_says_so(job):
    job.write({"main.py": ""})
    assert job.step("Check Dockerfiles") == (0, "there is no Dockerfile\n")


def test_without_a_checkout_the_step_fails_rather_than_find_nothing(job):
    code, said = job.step("Check Dockerfiles")
    assert code
    assert "not a git repository" in said


@pytest.mark.parametrize(
    ("asked", "files"),
    [
        ("a b", {"a", "b"}),
        ("a\nx y\n", {"a", "x y"}),
        ("a\n", {"a"}),
        ("*", {"*"}),
    ],
)
def test_dockerfiles_may_be_named(job, asked, files):
    job.write(dict.fromkeys(("a", "b", "x y", "*"), BAD))
    _, said = job.step("Check Dockerfiles", dockerfiles=asked)
    assert {one.properties["file"] for one in commands(said)} == files


@pytest.mark.parametrize("step", ["Check Dockerfiles", "Check the image"])
@pytest.mark.parametrize("text", ["$(touch ran)", '"; touch ran; "', "`touch ran`", "a\n; touch ran", "--write"])
def test_no_input_becomes_a_command_or_an_option(job, step, text):
    job.write({"Dockerfile": BAD})
    job.step(step, dockerfiles=text, image=text, fail_on=text, sarif=text)
    job.step(step, dockerfiles=text, image=text)
    assert not os.path.exists(f"{job.checkout}/ran")
    with open(f"{job.checkout}/Dockerfile", encoding="utf-8") as file:
        assert file.read() == BAD


def test_code_scanning_would_take_the_logs(job):
    job.write({"Dockerfile": BAD, "a b/Dockerfile": BAD})
    bad = writer.layer({"usr/lib/libcuda.so.550.54.15": b"\x7fELF", "a b:c%": b""}, command="COPY . /")
    with open(f"{job.checkout}/app.tar", "wb") as file:
        file.write(writer.tar(writer.saved([bad])))
    job.step("Check Dockerfiles", sarif="out/logs")
    job.step("Check the image", image="app.tar", sarif="out/logs")
    logs = {name: f"{job.checkout}/out/logs/{name}.sarif" for name in ("dockerfiles", "image")}
    assert {name: upload_refuses(path) for name, path in logs.items()} == {"dockerfiles": [], "image": []}
    with open(logs["dockerfiles"], encoding="utf-8") as file:
        results = json.load(file)["runs"][0]["results"]
    places = [one["locations"][0]["physicalLocation"] for one in results if one["ruleId"] == "DF-DRIVER-1"]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        ("Dockerfile", 2),
        ("a%20b/Dockerfile", 2),
    ]


@pytest.mark.parametrize(("tree", "code"), [({"app/x": b"x"}, 0), ({"usr/lib/libcuda.so.550.54.15": b"\x7fELF"}, 1)])
def test_an_image_passes_or_fails_with_an_annotation(job, tree, code):
    with open(f"{job.checkout}/app.tar", "wb") as file:
        image = writer.saved([writer.layer(tree)], User="1000")
        file.write(writer.tar(image))
    found, said = job.step("Check the image", image="app.tar")
    assert found == code, said
    errors = [one for one in commands(said) if one.name == "error"]
    assert [one.properties["title"].split()[0] for one in errors] == ["I-BOUNDARY-1"] * code


def test_an_image_that_is_not_there_fails_with_a_sentence(job):
    code, said = job.step("Check the image", image="none.tar")
    assert code == 3
    assert "none.tar" in said
