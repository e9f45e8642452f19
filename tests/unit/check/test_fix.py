"""What ``doctor --fix`` does, and that undo leaves nothing of it."""

import os
import stat
from pathlib import Path

import pytest

from linkspan.check import fix
from linkspan.check.fix import Step
from linkspan.check.model import Action, MakeLink, MakeNode, RunProgram, WriteFile
from linkspan.errors import HostError, KernelError

pytestmark = pytest.mark.allow_subprocess


def steps(*actions: Action) -> list[Step]:
    return [Step(finding="D-TEST-1", action=action) for action in actions]


def run(root: Path, *actions: Action) -> None:
    assert len(list(fix.apply(str(root), steps(*actions)))) == len(actions)


def test_a_file_is_replaced_with_its_mode_kept_and_put_back(tmp_path):
    file = tmp_path / "etc/daemon.json"
    file.parent.mkdir()
    file.write_text("{,}")
    file.chmod(0o640)
    run(tmp_path, WriteFile(path="/etc/daemon.json", was="{,}", text="{}"))
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("{}", 0o640)
    assert list(fix.undo(str(tmp_path))) == ["/etc/daemon.json as it was"]
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("{,}", 0o640)


def test_links_nodes_and_new_files_go_away_again_the_last_first(tmp_path):
    run(
        tmp_path,
        WriteFile(path="/etc/new", was=None, text="new\n"),
        MakeLink(path="/dev/char/195:0", target="../nvidia0"),
        MakeNode(path="/dev/nvidia0", major=195, minor=0),
    )
    node = os.stat(tmp_path / "dev/char/195:0")
    assert (node.st_rdev, stat.S_IMODE(node.st_mode)) == (os.makedev(195, 0), 0o666)
    told = list(fix.undo(str(tmp_path)))
    assert told == ["/dev/nvidia0 removed", "/dev/char/195:0 removed", "/etc/new removed"]
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []


def test_a_node_with_wrong_numbers_is_replaced_and_put_back(tmp_path):
    (tmp_path / "dev").mkdir()
    os.mknod(tmp_path / "dev/nvidia-uvm", stat.S_IFCHR | 0o666, os.makedev(0, 0))
    run(tmp_path, MakeNode(path="/dev/nvidia-uvm", major=510, minor=0, was=(0, 0)))
    assert os.stat(tmp_path / "dev/nvidia-uvm").st_rdev == os.makedev(510, 0)
    list(fix.undo(str(tmp_path)))
    assert os.stat(tmp_path / "dev/nvidia-uvm").st_rdev == os.makedev(0, 0)


def test_what_changed_since_the_look_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("somebody else's")
    with pytest.raises(HostError, match="has changed since it was looked at"):
        run(tmp_path, WriteFile(path="/file", was="ours", text="new"))
    assert (tmp_path / "file").read_text() == "somebody else's"


def test_undo_leaves_what_somebody_changed_after_us(tmp_path):
    run(tmp_path, WriteFile(path="/file", was=None, text="ours"), MakeLink(path="/link", target="a"))
    (tmp_path / "file").write_text("theirs")
    (tmp_path / "link").unlink()
    assert all("left as it is" in sentence for sentence in fix.undo(str(tmp_path)))
    assert (tmp_path / "file").read_text() == "theirs"


def test_what_was_done_before_a_failure_is_taken_back(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder would have to be")
    applied = fix.apply(
        str(tmp_path), steps(MakeLink(path="/first", target="a"), MakeLink(path="/blocked/x", target="b"))
    )
    assert next(applied).action == MakeLink(path="/first", target="a")
    with pytest.raises(KernelError):
        next(applied)
    assert list(fix.undo(str(tmp_path))) == [
        "/blocked/x is no longer the link that was made: left as it is",
        "/first removed",
    ]


def test_programs_are_run_and_their_way_back_too(tmp_path):
    mark = tmp_path / "mark"
    run(tmp_path, RunProgram(argv=("/bin/touch", str(mark)), undo=("/bin/rm", str(mark))))
    assert mark.exists()
    assert list(fix.undo(str(tmp_path))) == [f"'/bin/rm {mark}' done"]
    assert not mark.exists()


def test_a_program_without_a_way_back_says_so(tmp_path):
    run(tmp_path, RunProgram(argv=("/bin/true",)))
    assert list(fix.undo(str(tmp_path))) == ["'/bin/true' cannot be taken back"]


def test_undo_takes_the_newest_run_and_says_when_there_is_none(tmp_path):
    run(tmp_path, MakeLink(path="/one", target="a"))
    run(tmp_path, MakeLink(path="/two", target="a"))
    assert list(fix.undo(str(tmp_path))) == ["/two removed"]
    assert list(fix.undo(str(tmp_path))) == ["/one removed"]
    with pytest.raises(HostError, match="nothing to take back"):
        list(fix.undo(str(tmp_path)))


def test_a_change_is_described_as_a_diff():
    text = fix.describe(WriteFile(path="/f", was="a\nb", text="a\nc\n"))
    assert text == "--- /f\n+++ /f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ no newline at the end\n+c\n"
    assert fix.describe(RunProgram(argv=("linkspan", "cdi", "refresh"))) == "$ linkspan cdi refresh\n"
