import os
import subprocess

import pytest

from tests.packaging import use

pytestmark = pytest.mark.xdist_group("packaging")

ARCHIVE = "/usr/lib/linkspan/start.cpython-311"
OTHER_ARCHIVE = "/usr/lib/linkspan/start.cpython-310"


def test_a_package_that_was_purged_leaves_nothing_behind(host, built):
    before = host.files()
    printed = host.run("dpkg", "-i", host.take(built.deb))
    assert printed.splitlines()[-1].startswith("Setting up linkspan")
    assert host.has(ARCHIVE)
    assert host.has("/etc/systemd/system/multi-user.target.wants/linkspan-refresh.path")
    use.check(host, "/usr")
    host.write("/run/cdi/other.yaml", "cdiVersion: 0.5.0\n")
    host.write("/etc/linkspan/refresh.env", "LINKSPAN_CDI_OUTPUT=/var/run/cdi/nvidia.yaml\n")
    assert host.run("dpkg", "--verify", "linkspan") == ""
    printed = host.run("dpkg", "--purge", "linkspan")
    assert printed.splitlines()[-1].startswith("Purging configuration files for linkspan")
    assert host.has("/run/cdi/other.yaml")
    host.run("rm", "-r", "/run/cdi")
    assert host.files() == before


def test_the_archive_is_made_anew_with_an_upgrade_and_with_another_python(host, built):
    deb = host.take(built.deb)
    host.run("dpkg", "-i", deb)
    host.write(ARCHIVE, "an older one")
    host.run("dpkg", "-i", deb)
    assert os.path.getsize(f"{host.root}{ARCHIVE}") > 100_000
    host.run("mv", ARCHIVE, OTHER_ARCHIVE)
    host.run("dpkg-trigger", "--by-package=python3-minimal", "/usr/bin/python3")
    host.run("dpkg", "--triggers-only", "linkspan")
    assert (host.has(ARCHIVE), host.has(OTHER_ARCHIVE)) == (True, False)


def test_a_program_that_was_put_there_by_hand_is_not_overwritten(host, built):
    host.write("/usr/bin/nvidia-container-runtime", "#!/bin/sh\n")
    before = host.files()
    done = host.call("dpkg", "-i", host.take(built.deb))
    assert done.returncode
    assert "linkspan: /usr/bin/nvidia-container-runtime belongs to no package" in done.stderr
    assert host.files() == before


def test_the_toolkits_own_package_gives_way_by_dpkgs_rules(host, built, tmp_path):
    rival = toolkit_package(str(tmp_path))
    host.run("dpkg", "-i", host.take(rival))
    done = host.call("dpkg", "-i", host.take(built.deb))
    assert done.returncode == 0, done.stderr
    assert os.readlink(f"{host.root}/usr/bin/nvidia-container-runtime") == "linkspan-runtime"
    assert "nvidia-container-toolkit-base" not in host.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n")


def toolkit_package(folder: str) -> str:
    """A package with the name of one of NVIDIA's and a program of the same name as ours."""
    os.makedirs(f"{folder}/tree/DEBIAN")
    os.makedirs(f"{folder}/tree/usr/bin")
    with open(f"{folder}/tree/DEBIAN/control", "w", encoding="ascii") as file:
        file.write("Package: nvidia-container-toolkit-base\nVersion: 1.17.8-1\nArchitecture: all\n")
        file.write("Maintainer: nobody\nDescription: test\n")
    with open(f"{folder}/tree/usr/bin/nvidia-container-runtime", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n")
    command = ["dpkg-deb", "--build", f"{folder}/tree", f"{folder}/rival.deb"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return f"{folder}/rival.deb"
