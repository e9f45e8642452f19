"""Buildah understands each instruction that ``linkspan image init`` writes, whatever the project needs."""

import os
from collections.abc import Iterator

import pytest

from linkspan.image import dockerfile_source
from tests.builders import buildah, projects, stubs
from tests.builders.buildah import Buildah

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess, pytest.mark.xdist_group("builders")]


@pytest.fixture
def dry(tmp_path: str) -> Iterator[Buildah]:
    """A buildah with a store in which there are but stubs, and nothing that a network would give."""
    os.mkdir(f"{tmp_path}/nothing")
    os.mkdir(f"{tmp_path}/stub")
    with buildah.opened(f"{tmp_path}/nothing") as opened:
        yield opened


def text_of(context: str) -> str:
    with open(f"{context}/Dockerfile", encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("project", projects.NAMES)
def test_each_instruction_for_a_project_is_understood_and_has_no_fault(
    dry: Buildah, project: str, tmp_path: str
) -> None:
    context = projects.written(project, str(tmp_path))
    stubs.add(dry, text_of(context), f"{tmp_path}/stub")
    dry.build(context, project)
    assert dockerfile_source.findings(f"{context}/Dockerfile") == []


@pytest.mark.parametrize(
    ("line", "said"),
    [("COPPY a b", "COPPY"), ("RUN --mount=type=cash,target=/x true", "cash"), ("COPY --from=build /gone /x", "gone")],
)
def test_what_buildah_does_not_understand_is_seen_here(dry: Buildah, line: str, said: str, tmp_path: str) -> None:
    context = projects.written("python", str(tmp_path))
    stubs.add(dry, text_of(context), f"{tmp_path}/stub")
    with open(f"{context}/Dockerfile", "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    done = dry.try_run("bud", "--pull-never", context)
    assert done.returncode != 0
    assert said.lower() in done.stderr.lower(), done.stderr
