"""What is installed on a host, by the databases of its package managers."""

import os

import pytest

from linkspan.check.eyes import Eyes, Ledger, Replay, live, pack, unpack
from linkspan.check.packages import installed, is_known
from tests.unit import rpm_writer

FOLDERS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
FORMS = {
    "rpmdb.sqlite": rpm_writer.in_sqlite,
    "Packages.db": rpm_writer.in_ndb,
    "Packages": rpm_writer.in_berkeley,
}
BLOBS = [
    rpm_writer.package("bash", "5.1", "2.el9"),
    rpm_writer.package("nvidia-driver-cuda", "580.95.05", "1.el9", files=500),
]


def host(root, *databases: tuple[str, bytes]) -> Eyes:
    for path, data in databases:
        os.makedirs(os.path.dirname(f"{root}{path}"), exist_ok=True)
        with open(f"{root}{path}", "wb") as file:
            file.write(data)
    return live(str(root), Ledger())


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", FORMS)
def test_packages_of_interest_are_read_from_every_form_of_rpms_database(tmp_path, folder, name):
    eyes = host(tmp_path, (f"{folder}/{name}", FORMS[name](*BLOBS)))
    assert installed(eyes) == {"nvidia-driver-cuda": "580.95.05-1.el9"}
    assert is_known(eyes)
    assert os.listdir(f"{tmp_path}{folder}") == [name]  # SQLite would leave its own files beside it


def test_a_folder_that_is_a_link_to_the_other_is_followed(tmp_path):
    eyes = host(tmp_path, ("/usr/lib/sysimage/rpm/Packages.db", rpm_writer.in_ndb(*BLOBS)))
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "var/lib/rpm").symlink_to("/usr/lib/sysimage/rpm")
    assert installed(eyes) == {"nvidia-driver-cuda": "580.95.05-1.el9"}


def test_of_two_forms_the_newer_is_the_one_in_use(tmp_path):
    old = rpm_writer.in_berkeley(rpm_writer.package("nvidia-driver", "470"), rpm_writer.package("dkms"))
    databases = (("/var/lib/rpm/Packages", old), ("/var/lib/rpm/rpmdb.sqlite", rpm_writer.in_sqlite(*BLOBS)))
    assert installed(host(tmp_path, *databases)) == {"nvidia-driver-cuda": "580.95.05-1.el9"}


@pytest.mark.parametrize("data", [b"", b"no database", rpm_writer.in_berkeley(*BLOBS)[:6000]])
def test_a_database_that_cannot_be_read_says_of_no_package_that_it_is_not_there(tmp_path, data):
    eyes = host(tmp_path, ("/var/lib/rpm/Packages", data))
    assert installed(eyes) == {}
    assert not is_known(eyes)


def test_what_was_read_is_replayed_without_the_host(tmp_path):
    ledger = Ledger()
    host(tmp_path, ("/var/lib/rpm/Packages", rpm_writer.in_berkeley(*BLOBS)))
    found = installed(live(str(tmp_path), ledger))
    replayed = Eyes(Replay(unpack(pack(ledger.known))), Ledger())
    assert installed(replayed) == found == {"nvidia-driver-cuda": "580.95.05-1.el9"}
    assert is_known(replayed)


def test_a_host_without_a_database_knows_of_no_package(tmp_path):
    eyes = host(tmp_path)
    assert installed(eyes) == {}
    assert not is_known(eyes)


def test_dpkg_and_apk_are_read_too_without_the_epoch_and_without_what_was_removed(tmp_path):
    status = (
        "Package: docker.io\nStatus: install ok installed\nVersion: 1:26.1-1\n\n"
        "Package: podman\nStatus: deinstall ok config-files\nVersion: 4\n\n"
    )
    files = (("/var/lib/dpkg/status", status.encode()), ("/lib/apk/db/installed", b"C:Q1\nP:runc\nV:1.2-r0\n\n"))
    assert installed(host(tmp_path, *files)) == {"docker.io": "26.1-1", "runc": "1.2-r0"}
