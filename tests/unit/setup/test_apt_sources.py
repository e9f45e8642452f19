"""The archive of a host's apt, and components added to it."""

import subprocess

import pytest

from linkspan.check.eyes import Ledger, live
from linkspan.setup import apt_sources
from tests import hosts

WANTED = ("contrib", "non-free")
DEB822 = """# the archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb
Enabled: no
URIs: http://mirror.example/debian
Suites: trixie-backports
Components: main
"""


def part(tmp_path, tree, names=WANTED):
    hosts.make(tmp_path, tree)
    return apt_sources.components(live(str(tmp_path), Ledger()), names)


def written(command):
    """What the command writes: its part before the pipe, run by a real shell."""
    shown = subprocess.run(["/bin/sh", "-c", command.partition(" | tee ")[0]], capture_output=True, check=True)
    return shown.stdout.decode()


@pytest.mark.parametrize(
    "uri",
    [
        "http://mirror.example/debian",
        "http://mirror.example/debian/",
        "mirror+file:///etc/apt/mirrors/debian.list",
        "http://mirror.example/100%25/debian",
    ],
)
def test_components_are_added_for_the_hosts_own_mirror(tmp_path, uri):
    found = part(tmp_path, {"/etc/apt/sources.list": f"deb {uri} bookworm main\n"})
    stanza = f"Types: deb\nURIs: {uri}\nSuites: bookworm\nComponents: contrib non-free\n"
    assert not found.done
    assert written(found.commands[0]) == stanza
    assert found.commands[1] == "apt-get update"


def test_only_what_a_suite_lacks_is_added(tmp_path):
    found = part(tmp_path, {"/etc/apt/sources.list.d/debian.sources": DEB822})
    assert written(found.commands[0]).split("\n\n")[0] == (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: non-free\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp"
    )
    assert "backports" not in found.commands[0]


def test_what_we_have_added_before_counts(tmp_path):
    first = part(tmp_path, {"/etc/apt/sources.list.d/debian.sources": DEB822})
    again = part(tmp_path, {apt_sources.OWN: written(first.commands[0])})
    assert (first.done, again.done) == (False, True)


def test_options_and_comments_of_the_one_line_form_are_understood(tmp_path):
    lines = (
        "# deb http://mirror.example/debian bookworm main contrib non-free\n"
        "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian"
        " bookworm main # ours\n"
    )
    found = part(tmp_path, {"/etc/apt/sources.list": lines})
    assert "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" in written(found.commands[0])


@pytest.mark.parametrize(
    "line",
    [
        "deb [signed-by=/usr/share/keyrings/other.gpg] http://packages.example/debian bookworm main",
        "deb http://packages.example/apt cloud-sdk-bookworm main",
        "deb http://packages.example/linux/debian bookworm stable",
    ],
)
def test_the_packages_of_others_are_no_archive_of_the_distributions(tmp_path, line):
    assert part(tmp_path, {"/etc/apt/sources.list": f"{line}\n"}) is None
