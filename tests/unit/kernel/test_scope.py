"""The drop-ins of scopes: left where systemd made the cgroup, and removed when it is gone."""

import os
from pathlib import Path
from typing import Any

import pytest

from linkspan.formats.scopes import DROP_IN
from linkspan.kernel import scope, stamps

UNIT = f"docker-{'ab' * 32}.scope"
OTHER = f"docker-{'cd' * 32}.scope"
CGROUP = f"/sys/fs/cgroup/system.slice/{UNIT}"
RULES: list[dict[str, Any]] = [
    {"allow": True, "type": "c", "major": 195, "minor": minor, "access": "rw"} for minor in (0, 255)
]


def rules_of(folder: Path, unit: str = UNIT) -> list[str]:
    lines = (folder / f"{unit}.d" / DROP_IN).read_text().splitlines()
    return [line for line in lines if line.startswith("DeviceAllow=")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of transient units that has ours."""
    (tmp_path / UNIT).write_text("[Scope]\nDevicePolicy=strict\n")
    return tmp_path


def test_a_scope_is_left_a_drop_in_with_its_devices(folder: Path) -> None:
    scope.leave(CGROUP, RULES, [], str(folder))
    assert rules_of(folder) == ["DeviceAllow=/dev/char/195:0 rw", "DeviceAllow=/dev/char/195:255 rw"]
    assert os.listdir(folder / f"{UNIT}.d") == [DROP_IN]
    assert (folder / f"{UNIT}.d").stat().st_mode & 0o777 == 0o755


def test_the_drop_in_of_an_earlier_start_is_replaced(folder: Path) -> None:
    for rules in (RULES, RULES[:1]):
        scope.leave(CGROUP, rules, [], str(folder))
    assert rules_of(folder) == ["DeviceAllow=/dev/char/195:0 rw"]


def test_a_cgroup_that_systemd_did_not_make_is_left_none(tmp_path: Path) -> None:
    scope.leave(CGROUP, RULES, [], str(tmp_path))
    scope.leave("/sys/fs/cgroup/docker/mine", RULES, [], str(tmp_path))
    scope.leave(CGROUP, RULES, [], str(tmp_path / "nowhere"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("policy", ["", "DevicePolicy=auto\n"])
def test_a_scope_that_may_open_everything_is_left_none_which_would_close_the_rest(folder: Path, policy: str) -> None:
    (folder / UNIT).write_text(f"[Scope]\n{policy}")
    scope.leave(CGROUP, RULES, [], str(folder))
    assert os.listdir(folder) == [UNIT]


def test_what_a_runtime_set_later_decides_on_its_policy(folder: Path) -> None:
    (folder / f"{UNIT}.d").mkdir()
    (folder / f"{UNIT}.d/50-DevicePolicy.conf").write_text("[Scope]\nDevicePolicy=auto\n")
    scope.leave(CGROUP, RULES, [], str(folder))
    assert os.listdir(folder / f"{UNIT}.d") == ["50-DevicePolicy.conf"]
    (folder / UNIT).write_text("[Scope]\n")
    (folder / f"{UNIT}.d/50-DevicePolicy.conf").write_text("[Scope]\nDevicePolicy=strict\n")
    scope.leave(CGROUP, RULES, [], str(folder))
    assert len(rules_of(folder)) == 2


def test_where_no_file_can_be_written_the_container_starts_all_the_same(folder: Path) -> None:
    (folder / f"{UNIT}.d").write_text("in the way")
    scope.leave(CGROUP, RULES, [], str(folder))
    assert (folder / f"{UNIT}.d").read_text() == "in the way"


def test_without_a_link_by_number_a_node_is_named_by_its_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"type": "c", "major": 1, "minor": 3, "access": "rw"}
    nodes = [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3}]
    monkeypatch.setattr(stamps, "exists", lambda path: not path.startswith("/dev/char/"))
    scope.leave(CGROUP, [rule], nodes, str(folder))
    assert rules_of(folder) == ["DeviceAllow=/dev/null rw"]
    nodes[0]["path"] = "/dev/zero"  # another device on this host: its number is what was asked for
    scope.leave(CGROUP, [rule], nodes, str(folder))
    assert rules_of(folder) == ["DeviceAllow=/dev/char/1:3 rw"]


def test_a_nodes_name_is_found_by_its_numbers() -> None:
    nodes = [{"path": f"/dev/nvidia{minor}", "type": "c", "major": 195, "minor": minor} for minor in (0, 1)]
    assert scope.name_of({"type": "c", "major": 195, "minor": 1}, nodes) == "/dev/nvidia1"
    assert scope.name_of({"type": "c", "major": 195, "minor": 2}, nodes) == ""
    assert (
        scope.name_of({"type": "c", "major": 1, "minor": 1}, [{**nodes[0], "major": 1, "minor": 1, "path": "/%i"}])
        == ""
    )


def test_drop_ins_of_units_that_are_gone_are_removed_with_what_was_not_finished(folder: Path) -> None:
    gone = folder / f"{OTHER}.d"
    gone.mkdir()
    (gone / DROP_IN).write_text("")
    (gone / f".{DROP_IN}.0123").write_text("")
    scope.leave(CGROUP, RULES, [], str(folder))
    assert sorted(os.listdir(folder)) == [UNIT, f"{UNIT}.d"]


def test_what_others_left_beside_ours_stays(folder: Path) -> None:
    for name, file in ((f"{OTHER}.d", "50-DeviceAllow.conf"), ("ssh.service.d", DROP_IN), ("mine.scope.d", DROP_IN)):
        (folder / name).mkdir()
        (folder / name / file).write_text("")
    scope.prune(str(folder))
    assert (folder / f"{OTHER}.d/50-DeviceAllow.conf").exists()
    assert (folder / "ssh.service.d" / DROP_IN).exists()
    assert (folder / "mine.scope.d" / DROP_IN).exists()
    scope.prune(str(folder / "nowhere"))
