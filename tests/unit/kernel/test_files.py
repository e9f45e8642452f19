"""Files of the host, written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from linkspan.errors import KernelError
from linkspan.kernel import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was waited for until it is on the disk."""
    found: list[str] = []
    monkeypatch.setattr(files.os, "fsync", lambda fd: found.append(os.readlink(f"/proc/self/fd/{fd}")))
    return found


def test_a_new_file_has_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        files.write_whole(str(tmp_path / "file"), b"text")
        files.write_whole(str(tmp_path / "program"), b"text", 0o755)
    finally:
        os.umask(old)
    assert (tmp_path / "file").read_bytes() == b"text"
    assert (mode(tmp_path / "file"), mode(tmp_path / "program")) == (0o644, 0o755)


def test_an_old_file_is_replaced_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as reader:
        files.write_whole(str(path), b"new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_mode_and_owner_can_stay_the_old_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, 1234, 5678)
    before = path.stat()
    files.write_whole(str(path), b"new", None)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    files.write_whole(str(tmp_path / "other"), b"new", None)
    assert mode(tmp_path / "other") == 0o644


def test_file_and_folder_are_on_the_disk_before_it_returns(tmp_path: Path, synced: list[str]) -> None:
    files.write_whole(str(tmp_path / "file"), b"text")
    assert [Path(path).parent for path in synced[:1]] == [tmp_path]
    assert synced[1:] == [str(tmp_path)]


def test_what_a_crash_makes_worthless_waits_for_no_disk(tmp_path: Path, synced: list[str]) -> None:
    files.write_whole(str(tmp_path / "file"), b"text", durable=False)
    assert (tmp_path / "file").read_bytes() == b"text"
    assert synced == []


def test_a_relative_path_is_written_where_we_are(
    tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files.write_whole("file", b"text")
    assert (tmp_path / "file").read_bytes() == b"text"
    assert synced[1:] == [str(tmp_path)]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"cannot write .*/none/file: No such file or directory"):
        files.write_whole(str(tmp_path / "none/file"), b"")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(_: int, __: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "write", full)
    with pytest.raises(KernelError, match="No space left on device"):
        files.write_whole(str(path), b"new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(KernelError, match="Is a directory"):
        files.write_whole(str(tmp_path / "folder"), b"")
    assert os.listdir(tmp_path) == ["folder"]
