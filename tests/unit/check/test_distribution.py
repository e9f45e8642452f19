"""Distributions, by os-release texts as they stand in the real ones."""

import pytest

from linkspan.check import distribution
from linkspan.check.distribution import Distribution
from linkspan.facts.host import LiveHost
from tests import hosts
from tests.unit.check.os_releases import RELEASES

KNOWN = {
    "debian-11": ("debian", "debian", "11", "bullseye"),
    "debian-12": ("debian", "debian", "12", "bookworm"),
    "debian-13": ("debian", "debian", "13", "trixie"),
    "debian-sid": ("debian", "debian", "", "sid"),
    "ubuntu-20.04": ("ubuntu", "ubuntu", "20.04", "focal"),
    "ubuntu-24.04": ("ubuntu", "ubuntu", "24.04", "noble"),
    "ubuntu-22.04": ("ubuntu", "ubuntu", "22.04", "jammy"),
    "ubuntu-26.04": ("ubuntu", "ubuntu", "26.04", "resolute"),
    "mint-22": ("linuxmint", "ubuntu", "24.04", "noble"),
    "rhel-9": ("rhel", "rhel", "9.4", ""),
    "centos-stream-9": ("centos", "rhel", "9", ""),
    "rocky-8": ("rocky", "rhel", "8.10", ""),
    "alma-10": ("almalinux", "rhel", "10.0", ""),
    "oracle-9": ("ol", "rhel", "9.5", ""),
    "fedora-42": ("fedora", "fedora", "42", ""),
    "sles-15": ("sles", "suse", "15.6", ""),
    "sles-16": ("sles", "suse", "16.0", ""),
    "leap-16": ("opensuse-leap", "suse", "16.0", ""),
    "leap-15": ("opensuse-leap", "suse", "15.6", ""),
    "tumbleweed": ("opensuse-tumbleweed", "suse", "20250610", ""),
    "amazon-2": ("amzn", "amazon", "2", ""),
    "amazon-2023": ("amzn", "amazon", "2023", ""),
    "cos": ("cos", "image", "117", ""),
    "bottlerocket": ("bottlerocket", "image", "1.26.1", ""),
    "talos": ("talos", "image", "v1.9.1", ""),
    "flatcar": ("flatcar", "image", "4081.2.1", ""),
    "nixos": ("nixos", "image", "24.11", "vicuna"),
    "fedora-coreos": ("fedora-coreos", "image", "41.20250105.3.0", ""),
    "silverblue": ("fedora-silverblue", "image", "41.20250110.0", ""),
    "bluefin": ("bluefin", "image", "41", "Archaeopteryx"),
    "arch": ("arch", "other", "", ""),
}


def told(tmp_path, release, **more):
    hosts.make(tmp_path, {"/etc/os-release": release, **more})
    return distribution.read(LiveHost(str(tmp_path)))


@pytest.mark.parametrize("name", KNOWN)
def test_a_distribution_is_known_by_its_os_release(tmp_path, name):
    found = told(tmp_path, RELEASES[name])
    assert (found.id, found.family, found.version, found.codename) == KNOWN[name]
    assert found.name in RELEASES[name]


def test_every_os_release_is_in_the_table():
    assert set(RELEASES) == set(KNOWN)


def test_a_host_started_by_ostree_is_replaced_as_a_whole_whatever_it_is_called(tmp_path):
    assert told(tmp_path, RELEASES["centos-stream-9"], **{"/run/ostree-booted": ""}).family == "image"


def test_a_host_without_an_os_release_is_of_no_family(tmp_path):
    assert distribution.read(LiveHost(str(tmp_path))).family == "other"


def test_the_copy_below_usr_is_read_where_etc_has_none(tmp_path):
    hosts.make(tmp_path, {"/usr/lib/os-release": RELEASES["fedora-42"]})
    assert distribution.read(LiveHost(str(tmp_path))).id == "fedora"


def test_a_broken_quote_does_not_stop_the_reading(tmp_path):
    found = told(tmp_path, 'ID=debian\nVERSION_ID="12\nPRETTY_NAME=Debian\n')
    assert (found.family, found.version) == ("debian", "12")


def of(name, tmp_path):
    return told(tmp_path, RELEASES[name])


@pytest.mark.parametrize(
    ("name", "purpose", "command"),
    [
        ("debian-12", "headers", "apt-get install -y linux-headers-6.1.0-37-amd64"),
        ("debian-12", "compute", "apt-get install -y libcuda1 libnvidia-ml1 nvidia-smi"),
        ("ubuntu-24.04", "compute", "apt-get install -y libnvidia-compute-580 nvidia-utils-580"),
        ("rocky-8", "headers", "dnf install -y kernel-devel-6.1.0-37-amd64"),
        ("fedora-42", "docker", "dnf install -y moby-engine"),
        ("amazon-2", "docker", "yum install -y docker"),
        ("sles-15", "podman", "zypper --non-interactive install podman"),
        ("rhel-9", "docker", ""),
        ("bottlerocket", "mokutil", ""),
        ("arch", "podman", ""),
    ],
)
def test_a_purpose_has_the_command_of_its_distribution(tmp_path, name, purpose, command):
    found = distribution.install_command(of(name, tmp_path), purpose, kernel="6.1.0-37-amd64", branch="580")
    assert found == command


def test_headers_on_suse_are_those_of_the_kernels_flavour(tmp_path):
    found = distribution.install_command(of("leap-15", tmp_path), "headers", kernel="6.4.0-150600.23.47-default")
    assert found == "zypper --non-interactive install kernel-default-devel=6.4.0-150600.23.47"


@pytest.mark.parametrize("purpose", ["headers", "driver"])
def test_there_is_no_command_without_what_the_names_need(purpose):
    ubuntu = Distribution(id="ubuntu", family="ubuntu", version="24.04", name="Ubuntu", codename="noble")
    assert distribution.install_command(ubuntu, purpose) == ""
