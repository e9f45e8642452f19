"""The packages under test, built once from this tree, and a fresh machine for each test that installs one."""

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from packages.tree import REPOSITORY
from tests.debian import UnavailableError
from tests.packaging import machine
from tests.packaging.machine import Machine

BUILD_TIME_S = 300


class Built(NamedTuple):
    """The packages of one build."""

    deb: str
    rpm: str
    archive: str


def build(repository: str, into: str, **environment: str) -> Built:
    """Build all packages of a tree as ``make package`` does."""
    done = subprocess.run(
        [sys.executable, "-m", "packages", into],
        cwd=repository,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=BUILD_TIME_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(*(path for kind in ("*.deb", "*.rpm", "*.tar.gz") for path in glob.glob(f"{into}/{kind}")))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The packages of this tree."""
    for program in ("dpkg-deb", "rpmbuild"):
        if not shutil.which(program):
            pytest.skip(f"{program}, which builds packages, is not installed")
    return build(REPOSITORY, str(tmp_path_factory.mktemp("packages")))


@pytest.fixture
def host() -> Iterator[Machine]:
    """A Debian 12 with Python and runc that nothing of linkspan's was on yet."""
    try:
        with machine.fresh() as fresh:
            yield fresh
    except UnavailableError as error:
        pytest.skip(str(error))
