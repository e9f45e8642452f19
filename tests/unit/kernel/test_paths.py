"""Files, folders and links below a root descriptor."""

import os
import stat
from pathlib import Path

import pytest

from linkspan.errors import FormatError, KernelError, UnsafePath
from linkspan.kernel import paths, walk


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# -- the root


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="cannot open the container's root"):
        paths.open_root(str(tmp_path / "none"))


def test_the_root_of_this_host_is_no_containers() -> None:
    with pytest.raises(UnsafePath, match="is the root of this host"):
        paths.open_root("/proc/self/root")


# -- reading


def test_a_file_is_read_through_links_as_seen_from_inside(root: Path, root_fd: int) -> None:
    write(root / "usr/lib/file", "found")
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/absolute").symlink_to("/lib/up")
    (root / "usr/lib/up").symlink_to("../../../../lib/./file")
    assert paths.read_file(root_fd, "/lib/absolute", 100) == b"found"


def test_the_end_of_a_path_may_go_up(root: Path, root_fd: int) -> None:
    write(root / "etc/file")
    (root / "up").symlink_to("etc/..")
    found = paths.look(root_fd, "/up")
    assert found is not None
    assert os.path.samestat(found, root.stat())


@pytest.mark.parametrize("path", ["/none", "/none/file", "/file/below", "/dangling", "/" + "x" * 300])
def test_what_is_not_there_is_none(root: Path, root_fd: int, path: str) -> None:
    write(root / "file")
    (root / "dangling").symlink_to("/etc/passwd")
    assert paths.read_file(root_fd, path, 100) is None
    assert paths.look(root_fd, path) is None
    assert paths.list_folder(root_fd, path, 100) is None
    assert paths.open_folder(root_fd, path) is None
    assert paths.resolve(root_fd, path) is None


def test_a_file_above_the_limit_is_refused(root: Path, root_fd: int) -> None:
    os.truncate(write(root / "huge"), 4 << 30)
    write(root / "exact", "12345")
    assert paths.read_file(root_fd, "/exact", 5) == b"12345"
    with pytest.raises(FormatError, match="/huge is larger than 5 bytes"):
        paths.read_file(root_fd, "/huge", 5)
    with pytest.raises(FormatError, match="/exact is larger than 4 bytes"):
        paths.read_file(root_fd, "/exact", 4)


def test_a_file_of_the_kernels_is_read_whole_though_it_has_no_size(root_fd: int) -> None:
    proc = os.open("/proc/self", os.O_PATH)
    try:
        status = paths.read_file(proc, "/status", 1 << 20)
    finally:
        os.close(proc)
    assert status is not None
    assert b"\nThreads:" in status


def test_a_fifo_is_not_waited_for(root: Path, root_fd: int) -> None:
    os.mkfifo(root / "fifo")
    with pytest.raises(FormatError, match="/fifo is not a regular file"):
        paths.read_file(root_fd, "/fifo", 100)
    assert paths.content(root_fd, "/fifo", 100) is None


def test_a_folder_is_no_file(root: Path, root_fd: int) -> None:
    (root / "etc").mkdir()
    with pytest.raises(FormatError, match="/etc is not a regular file"):
        paths.read_file(root_fd, "/etc", 100)


def test_anything_can_be_opened_as_a_place(root: Path, root_fd: int) -> None:
    os.mkfifo(root / "fifo")
    place = paths.open_beneath(root_fd, "/fifo", os.O_PATH)
    assert place is not None
    assert stat.S_ISFIFO(os.fstat(place).st_mode)
    os.close(place)


@pytest.mark.parametrize("text", ["loop", "/loop", "./loop", "a/../loop"])
def test_a_loop_of_links_ends(root: Path, root_fd: int, text: str) -> None:
    (root / "a").mkdir()
    (root / "loop").symlink_to(text)
    with pytest.raises(UnsafePath, match=f"/loop leads through more than {walk.MAX_LINKS} symlinks"):
        paths.read_file(root_fd, "/loop", 100)
    with pytest.raises(UnsafePath, match="symlinks"):
        paths.write_file(root_fd, "/loop/file", b"")
    assert paths.content(root_fd, "/loop", 100) is None


def test_a_path_that_links_make_longer_and_longer_ends(root: Path, root_fd: int) -> None:
    (root / "a").mkdir()
    (root / "long").symlink_to("a/../" * 200 + "long")
    with pytest.raises(UnsafePath, match=f"more than {walk.MAX_STEPS} folders"):
        paths.look(root_fd, "/long")


def test_a_zero_byte_is_in_no_path(root_fd: int) -> None:
    with pytest.raises(UnsafePath, match="zero byte"):
        paths.look(root_fd, "/a\0b")
    with pytest.raises(UnsafePath, match="does not end in a name"):
        paths.write_file(root_fd, "/a\0b", b"")


def test_names_are_listed_in_order(root: Path, root_fd: int) -> None:
    for name in ("b", "a", ".c"):
        write(root / "etc" / name)
    assert paths.list_folder(root_fd, "/etc", 3) == [".c", "a", "b"]
    with pytest.raises(FormatError, match="/etc holds more than 2 names"):
        paths.list_folder(root_fd, "/etc", 2)


def test_a_folder_is_named_by_its_real_place(root: Path, root_fd: int) -> None:
    (root / "usr/local/cuda-12.6/compat").mkdir(parents=True)
    (root / "usr/local/cuda").symlink_to("/usr/local/cuda-12.6")
    assert paths.resolve(root_fd, "/usr/local/cuda/compat") == "/usr/local/cuda-12.6/compat"
    assert paths.resolve(root_fd, "/usr/local/cuda/../..") == "/usr"
    assert paths.resolve(root_fd, "/") == "/"


# -- writing


def test_a_file_is_written_with_its_folders_and_modes_whatever_the_umask(root: Path, root_fd: int) -> None:
    old = os.umask(0o077)
    try:
        paths.write_file(root_fd, "/etc/nvidia/file", b"text", 0o444)
    finally:
        os.umask(old)
    assert (root / "etc/nvidia/file").read_bytes() == b"text"
    assert [mode(root / name) for name in ("etc", "etc/nvidia", "etc/nvidia/file")] == [0o755, 0o755, 0o444]
    assert os.listdir(root / "etc/nvidia") == ["file"]


def test_only_the_last_folder_gets_the_mode_asked_for(root: Path, root_fd: int) -> None:
    os.close(paths.make_folders(root_fd, "/a/b/c", mode=0o555))
    assert [mode(root / name) for name in ("a", "a/b", "a/b/c")] == [0o755, 0o755, 0o555]


def test_a_file_replaces_a_link_and_not_what_that_leads_to(root: Path, root_fd: int, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", "untouched")
    (root / "link").symlink_to(outside)
    paths.write_file(root_fd, "/link", b"ours")
    assert (root / "link").read_bytes() == b"ours"
    assert not (root / "link").is_symlink()
    assert outside.read_text() == "untouched"


def test_a_folder_is_not_replaced(root: Path, root_fd: int) -> None:
    (root / "etc/name").mkdir(parents=True)
    with pytest.raises(KernelError, match="cannot write /etc/name in the container: Is a directory"):
        paths.write_file(root_fd, "/etc/name", b"")
    with pytest.raises(KernelError, match="cannot make the link /etc/name in the container: Is a directory"):
        paths.replace_link(root_fd, "target", "/etc/name")
    assert os.listdir(root / "etc") == ["name"]


def test_a_file_in_a_folders_place_is_an_error(root: Path, root_fd: int) -> None:
    write(root / "etc")
    with pytest.raises(KernelError, match="cannot make the folder /etc in the container: Not a directory"):
        paths.write_file(root_fd, "/etc/file", b"")


@pytest.mark.parametrize("path", ["", "/", "/..", "/etc/.", "/etc/.."])
def test_a_path_has_to_end_in_a_name(root_fd: int, path: str) -> None:
    with pytest.raises(UnsafePath, match="does not end in a name"):
        paths.write_file(root_fd, path, b"")


def test_a_dangling_folder_is_made_where_the_link_leads_inside(root: Path, root_fd: int, tmp_path: Path) -> None:
    (root / "lib64").symlink_to(tmp_path / "elsewhere")
    (root / "etc").symlink_to("../../../../" + str(tmp_path) + "/up")
    paths.write_file(root_fd, "/lib64/file", b"")
    paths.write_file(root_fd, "/etc/file", b"")
    inside = root / str(tmp_path).lstrip("/")
    assert sorted(os.listdir(inside)) == ["elsewhere", "up"]
    assert os.listdir(tmp_path) == ["root"]


def test_a_link_is_made_replaced_and_left_alone(root: Path, root_fd: int) -> None:
    paths.replace_link(root_fd, "libcuda.so.550", "/usr/lib/libcuda.so.1")
    link = root / "usr/lib/libcuda.so.1"
    made = link.lstat().st_ino
    paths.replace_link(root_fd, "libcuda.so.550", "/usr/lib/libcuda.so.1")
    assert link.lstat().st_ino == made
    paths.replace_link(root_fd, "/elsewhere", "/usr/lib/libcuda.so.1")
    assert os.readlink(link) == "/elsewhere"
    link.unlink()
    write(link, "a file")
    paths.replace_link(root_fd, "again", "/usr/lib/libcuda.so.1")
    assert os.readlink(link) == "again"
    assert os.listdir(root / "usr/lib") == ["libcuda.so.1"]


def test_a_link_without_a_text_is_refused(root_fd: int) -> None:
    with pytest.raises(KernelError, match="cannot make the link /link in the container"):
        paths.replace_link(root_fd, "", "/link")


def test_a_file_or_link_is_removed_and_nothing_is_fine_too(root: Path, root_fd: int) -> None:
    write(root / "etc/file")
    (root / "etc/link").symlink_to("file")
    for path in ("/etc/link", "/etc/file", "/etc/file", "/none/file"):
        paths.remove(root_fd, path)
    assert os.listdir(root / "etc") == []
    with pytest.raises(KernelError, match="cannot remove /etc"):
        paths.remove(root_fd, "/etc")


def test_a_full_disk_leaves_nothing_behind(root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int, __: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paths.os, "write", full)
    with pytest.raises(KernelError, match="cannot write /etc/file in the container: No space left on device"):
        paths.write_file(root_fd, "/etc/file", b"text")
    assert os.listdir(root / "etc") == []


def test_a_read_only_root_is_said_with_what_to_do(root_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(paths.os, "symlink", refuse)
    with pytest.raises(KernelError, match="Read-only file system; keep the root filesystem writable"):
        paths.replace_link(root_fd, "target", "/link")


def test_a_large_file_is_written_in_as_many_steps_as_it_takes(
    root: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    monkeypatch.setattr(paths.os, "write", lambda file, data: whole(file, bytes(data)[:3]))
    paths.write_file(root_fd, "/file", b"0123456789")
    assert (root / "file").read_bytes() == b"0123456789"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_is_created_belongs_to_the_owner(root: Path, root_fd: int) -> None:
    paths.write_file(root_fd, "/etc/file", b"", owner=(1234, 5678))
    paths.replace_link(root_fd, "file", "/etc/link", owner=(1234, 5678))
    paths.replace_link(root_fd, "other", "/etc/link", owner=(1234, 5678))
    found = [(root / name).lstat() for name in ("etc", "etc/file", "etc/link")]
    assert [(status.st_uid, status.st_gid) for status in found] == [(1234, 5678)] * 3
    assert root.stat().st_uid == 0
