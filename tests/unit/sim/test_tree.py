import os
import socket
import stat
from pathlib import Path

import pytest

from linkspan.errors import HostError, KernelError, UnsafePath
from linkspan.sim import tree
from linkspan.sim.tree import File, Folder, Link, Node, Socket


def test_entries_are_written_with_their_folders_and_modes_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        tree.write(
            str(tmp_path),
            {
                "/a/b/file": File(b"text", 0o4755),
                "/a/link": Link("b/file"),
                "/empty": Folder(),
                "/run/socket": Socket(),
            },
        )
    finally:
        os.umask(before)
    assert (tmp_path / "a/link").read_bytes() == b"text"
    assert stat.S_IMODE((tmp_path / "a/b/file").stat().st_mode) == 0o4755
    assert list((tmp_path / "empty").iterdir()) == []
    assert stat.S_ISSOCK((tmp_path / "run/socket").stat().st_mode)
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(tmp_path / "run/socket"))


def test_what_is_there_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"theirs")
    (tmp_path / "name").symlink_to(other)
    tree.write(str(tmp_path), {"/name": File(b"ours")})
    assert ((tmp_path / "name").read_bytes(), other.read_bytes()) == (b"ours", b"theirs")


def test_a_link_inside_the_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    tree.write(str(tmp_path), {"/lib/firmware/x": File(b"")})
    assert (tmp_path / "usr/lib/firmware/x").exists()


@pytest.mark.parametrize("target", ["..", "../outside", "/"])
def test_a_folder_that_leads_out_of_the_root_is_refused(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "etc").symlink_to(target)
    with pytest.raises(UnsafePath, match="leads out of"):
        tree.write(str(root), {"/etc/linkspan-test/file": File(b"")})
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_where_a_folder_belongs_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "dev").write_bytes(b"")
    with pytest.raises(KernelError, match=r"cannot write .*/dev/x"):
        tree.write(str(tmp_path), {"/dev/x": File(b"")})


def test_no_right_to_make_nodes_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "mknod", refuse)
    with pytest.raises(HostError, match="no permission to make the device node") as refusal:
        tree.write(str(tmp_path), {"/dev/nvidia0": Node(195, 0)})
    assert "run as root" in refusal.value.hint
