import subprocess

import pytest

from tests.packaging import use

pytestmark = pytest.mark.xdist_group("packaging")


def rpm(root: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """rpm of this machine, working on a tree: Debian knows no rpm packages, so there is nothing to depend on."""
    command = ["rpm", "--root", root, "--force-debian", "--nodeps", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_package_that_was_erased_leaves_nothing_behind(host, built):
    before = host.files()
    done = rpm(host.root, "-i", built.rpm)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    use.check(host, "/usr")
    done = rpm(host.root, "-e", "linkspan")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert host.files() == before


def test_a_program_that_was_put_there_by_hand_is_not_overwritten(host, built):
    host.write("/usr/bin/nvidia-container-toolkit", "#!/bin/sh\n")
    before = host.files()
    done = rpm(host.root, "-i", built.rpm)
    assert done.returncode
    assert "linkspan: /usr/bin/nvidia-container-toolkit belongs to no package" in done.stderr
    assert host.files() == before
