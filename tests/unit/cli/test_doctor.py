"""``linkspan doctor`` as a person and as a program use it."""

import json
import os
import stat
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from linkspan.check import bundle
from linkspan.cli.main import run
from linkspan.sim import create, failing
from linkspan.sim.machine import Machine
from linkspan.sim.spec import SimSpec

pytestmark = pytest.mark.allow_subprocess


@pytest.fixture(autouse=True)
def _nodes_can_be_made(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "probe", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this user may not make device nodes, which a simulated host has")


@pytest.fixture
def healthy(tmp_path: Path) -> str:
    return create.create(str(tmp_path / "host"), failing.WITH_DOCKER).root


@pytest.fixture
def broken(tmp_path: Path) -> str:
    return failing.create_failing(str(tmp_path / "host"), "D-DRIVER-1").root


def test_a_healthy_host_is_ready(healthy, capsys):
    assert run(["doctor", "--root", healthy]) == 0
    said = capsys.readouterr().out
    assert "ready: every link that is here holds" in said
    assert "2 GPUs" in said
    assert "✗" not in said


def test_the_first_broken_link_is_told_with_evidence_and_remedy(broken, capsys):
    assert run(["doctor", "--root", broken]) == 1
    said = capsys.readouterr().out
    assert "broken at the version match" in said
    assert "Mend this first\nD-DRIVER-1" in said
    assert "/proc/driver/nvidia/version" in said
    assert "$ systemctl reboot" in said
    assert said.count("not reached") > 5


def test_json_is_the_whole_report(broken, capsys):
    assert run(["doctor", "--root", broken, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["broken_link"] == "version"
    assert report["exit_code"] == 1
    assert [one["id"] for one in report["findings"] if one["link"] == "version"] == ["D-DRIVER-1"]
    assert report["held"]["pci"] == "2 GPUs"


def test_sarif_and_junit_name_the_finding(broken, tmp_path, capsys):
    assert run(["doctor", "--root", broken, "--sarif", str(tmp_path / "s"), "--junit", "-"]) == 1
    log = json.loads((tmp_path / "s").read_text())
    results = log["runs"][0]["results"]
    assert {one["ruleId"] for one in results} >= {"D-DRIVER-1"}
    assert results[0]["level"] == "error"
    suite = ElementTree.fromstring(capsys.readouterr().out)
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert "D-DRIVER-1" in failed
    assert int(suite.get("failures", "")) == len(failed)


def test_a_bundle_gives_the_same_report_elsewhere(broken, tmp_path, capsys):
    kept = str(tmp_path / "bundle.zip")
    assert run(["doctor", "--root", broken, "--bundle", kept, "--json"]) == 1
    first = json.loads(capsys.readouterr().out)
    create.remove(broken)
    assert run(["doctor", "--from", kept, "--json"]) == 1
    again = json.loads(capsys.readouterr().out)
    assert again.pop("looked_at") == kept
    del first["looked_at"]
    assert again == first


def test_a_bundle_holds_no_secret(healthy, tmp_path):
    secrets = {"password": "hunter2", "token": "t0ken-of-mine"}
    machine = Machine(healthy, SimSpec())
    machine.edit_json("/etc/docker/daemon.json", lambda tree: tree.update(secrets, proxy="http://ada:pa55@proxy:3128"))
    machine.append("/proc/800/environ", "AWS_SECRET_ACCESS_KEY=s3cret\0HTTPS_PROXY=http://u:p4ss@x\0")
    kept = str(tmp_path / "bundle.zip")
    run(["doctor", "--root", healthy, "--bundle", kept])
    with zipfile.ZipFile(kept) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert not [word for word in (b"hunter2", b"t0ken-of-mine", b"pa55", b"s3cret", b"p4ss") if word in content]
    assert b"linkspan-runtime" in content
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive at all"])
def test_a_file_that_is_no_bundle_is_refused(tmp_path, capsys, content):
    (tmp_path / "file").write_bytes(content)
    assert run(["doctor", "--from", str(tmp_path / "file")]) == 1
    assert "is no bundle of linkspan's" in capsys.readouterr().err


def test_a_bundle_that_unpacks_to_too_much_is_refused(tmp_path, capsys, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(bundle.HOST, b"0" * (1 << 20))
    monkeypatch.setattr(bundle, "LIMIT", 1 << 19)
    assert run(["doctor", "--from", str(tmp_path / "bomb")]) == 1
    assert "would unpack to more than" in capsys.readouterr().err


def test_an_absent_root_and_an_absent_bundle_are_told_in_a_sentence(tmp_path, capsys):
    assert run(["doctor", "--root", str(tmp_path / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    assert run(["doctor", "--from", str(tmp_path / "none")]) == 1
    assert "cannot read" in capsys.readouterr().err


def test_what_cannot_be_mended_by_itself_is_said(broken, capsys):
    assert run(["doctor", "--root", broken, "--fix"]) == 1
    assert "nothing here can be mended by itself" in capsys.readouterr().out


def test_without_a_run_there_is_nothing_to_undo(healthy, capsys):
    assert run(["doctor", "--root", healthy, "--undo"]) == 1
    assert "nothing to take back" in capsys.readouterr().err
