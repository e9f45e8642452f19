import os
import subprocess
import tarfile

import pytest

from tests.packaging import use
from tests.packaging.conftest import Built
from tests.packaging.machine import Machine

pytestmark = pytest.mark.xdist_group("packaging")


FAILURES = {
    ("--prefix", "local"): "--prefix is 'local', not an absolute path below /",
    ("--prefix", "/"): "--prefix is '', not an absolute path below /",
    ("--prefix", "/opt/a b"): "--prefix is '/opt/a b', which has other characters than",
    ("--prefix",): "--prefix needs a value; usage: ",
    ("--frob",): "--frob is not an option of install.sh; usage: ",
    ("--uninstall",): "nothing of install.sh's is below /usr/local; name the folder with --prefix",
    ("--python", "/bin/true"): "/bin/true cannot run linkspan; it has to be a Python from 3.11 to 3.14",
    ("--prefix", "/proc/linkspan"): "the folder /proc/linkspan/lib/linkspan cannot be made",
}


@pytest.fixture
def installer(host: Machine, built: Built) -> str:
    """install.sh, unpacked on the machine."""
    subprocess.run(["tar", "-xf", built.archive, "-C", f"{host.root}/tmp"], check=True, timeout=120)
    with tarfile.open(built.archive) as archive:
        return f"/tmp/{archive.getnames()[0].split('/')[0]}/install.sh"


def failure(host: Machine, *command: str) -> str:
    """The one sentence of an installation that fails, and changes nothing."""
    before = host.files()
    done = host.call(*command)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    assert host.files() == before
    return done.stderr.removeprefix("linkspan: ")


def test_what_was_installed_twice_and_taken_away_leaves_nothing_behind(host, installer):
    before = host.files()
    assert host.run(installer).startswith("linkspan is installed below /usr/local")
    pretend_an_older_version(host)
    host.run(installer)
    assert not host.has("/usr/local/lib/linkspan/packages/old")
    use.check(host, "/usr/local")
    assert host.run("/usr/local/lib/linkspan/install.sh", "--uninstall") == "linkspan was removed from /usr/local\n"
    assert host.files() == before


def pretend_an_older_version(host: Machine) -> None:
    """A file that this version has no more."""
    host.write("/usr/local/lib/linkspan/packages/old/module.py", "")
    with open(f"{host.root}/usr/local/lib/linkspan/manifest", "a", encoding="ascii") as file:
        file.write("lib/linkspan/packages/old/\nlib/linkspan/packages/old/module.py\n")


def test_a_prefix_of_its_own_works_and_goes_with_it(host, installer):
    before = host.files()
    host.run(installer, "--prefix", "/opt/linkspan")
    host.run("/opt/linkspan/bin/linkspan", "sim", "create", use.HOST)
    assert "was asked for, but this host has GPUs" in use.refusal(host, "/opt/linkspan/bin/linkspan-runtime")
    host.run(installer, "--prefix=/opt/linkspan/", "--uninstall")
    assert host.files() == before


def test_what_is_not_its_own_is_not_overwritten(host, installer):
    for name in ("bin/nvidia-container-toolkit", "bin/linkspan", "lib/linkspan/archive"):
        host.write(f"/usr/local/{name}", "#!/bin/sh\n")
        expected = f"/usr/local/{name.removesuffix('/archive')} is there already and "
        assert failure(host, installer).startswith(expected)
        os.unlink(f"{host.root}/usr/local/{name}")


def test_each_failure_is_one_sentence_and_changes_nothing(host, installer):
    for arguments, cause in FAILURES.items():
        assert failure(host, installer, *arguments).startswith(cause), arguments
    os.rename(f"{host.root}/usr/bin/python3.11", f"{host.root}/usr/bin/python2")
    assert failure(host, installer).startswith("no Python from 3.11 to 3.14 was found in /usr/bin")
