"""A root file system as it stands: of a folder, and of a process that may change it meanwhile."""

import os
import subprocess
import sys

import pytest

from linkspan.check import subjects
from linkspan.errors import FormatError, HostError
from linkspan.image import limits, rootfs
from linkspan.image.access import Access
from linkspan.image.elsewhere import open_any
from linkspan.image.model import Config
from linkspan.image.source import open_image

NO_DOCKER = Access(env={"DOCKER_HOST": "unix:///nowhere.sock"})
OTHER_ROOT = """\
mount -t tmpfs none "$1" && mkdir "$1/etc" && touch "$1/etc/only-in-there" "$1/index.json" &&
exec "$2" -c 'import os, sys, time; os.chroot(sys.argv[1]); print("ready", flush=True); time.sleep(60)' "$1"
"""


def tree(folder, *paths):
    for path in paths:
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "w", encoding="ascii") as file:
            file.write(path)
    return str(folder)


def files(image):
    return [path for path, entry in image.entries.items() if entry.kind == "file"]


def test_paths_come_folder_by_folder_and_in_order(tmp_path):
    image = rootfs.read(tree(tmp_path, "b/2", "b/1", "a", "c"))
    assert list(image.entries) == ["/a", "/b", "/b/1", "/b/2", "/c"]


def test_what_is_mounted_is_left_out(tmp_path):
    folder = tree(tmp_path, "etc/hostname", "usr/lib/libcuda.so.1", "proc/1/stat")
    image = rootfs.read(folder, Config(env=("A=b",), is_there=False), frozenset({"/proc", "/usr/lib/libcuda.so.1"}))
    assert files(image) == ["/etc/hostname"]
    assert image.entries["/proc"].kind == "folder"
    assert image.config.variables == {"A": "b"}


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(tmp_path):
    secret = tree(tmp_path / "outside", "secret")
    folder = tree(tmp_path / "root", "a", "b/1", "c/1")
    walk = rootfs._Walk(folder, ())
    found = walk.entries()
    assert next(found).path == "/a"
    os.rename(f"{folder}/b", f"{folder}/was")
    os.symlink(secret, f"{folder}/b")
    assert [entry.path for entry in found] == ["/b", "/c", "/c/1"]
    assert "/b" in walk.refusals.sentences()[0]
    walk.close()


def test_a_file_that_becomes_a_device_meanwhile_is_not_opened(tmp_path):
    folder = tree(tmp_path / "root", "a", "b")
    walk = rootfs._Walk(folder, ())
    found = walk.entries()
    assert next(found).path == "/a"
    os.remove(f"{folder}/b")
    os.mkfifo(f"{folder}/b")  # to open one is to wait for whoever writes
    assert [(entry.path, entry.head) for entry in found] == [("/b", b"")]
    assert walk.refusals.sentences() == ["'/b': the file cannot be read (it was replaced meanwhile)"]
    walk.close()


def test_a_folder_without_end_is_read_as_far_as_any_is_deep(tmp_path):
    at = os.open(tree(tmp_path, "first"), os.O_RDONLY)
    for _ in range(limits.DEPTH * 2):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    before = len(os.listdir("/proc/self/fd"))
    image = rootfs.read(str(tmp_path))
    assert len(image.entries) == limits.DEPTH + 2
    assert len(image.refused) == 1
    assert f"more than {limits.DEPTH} folders deep" in image.refused[0]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(FormatError, match=r"cannot look into .*: no such file or directory"):
        rootfs.read(f"{tmp_path}/none")


def test_a_page_at_the_top_of_a_root_makes_it_no_layout(tmp_path):
    assert files(open_image(tree(tmp_path, "index.json", "oci-layout.md"))) == ["/index.json", "/oci-layout.md"]


def test_a_container_that_nobody_knows_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(subjects, "ENGINES", ())
    with pytest.raises(HostError, match="no engine here runs a container none-of-these") as caught:
        open_any("container:none-of-these", NO_DOCKER)
    assert "Docker does not answer at /nowhere.sock" in caught.value.hint


@pytest.mark.privileged
def test_the_root_of_a_process_is_its_own_and_not_ours(tmp_path):
    folder = tree(tmp_path, "etc/ours")
    env = {"PATH": os.environ["PATH"], "MARK": "x"}
    argv = ["unshare", "--mount", "sh", "-c", OTHER_ROOT, "sh", folder, sys.executable]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                pytest.skip("no root of its own can be given to a process here")
            assert files(open_image(f"/proc/{process.pid}/root")) == ["/etc/only-in-there", "/index.json"]
            image = open_any(f"container:{process.pid}", NO_DOCKER)
            assert image.source == f"container {process.pid}"
            assert files(image) == ["/etc/only-in-there", "/index.json"]
            assert image.config.variables["MARK"] == "x"
        finally:
            process.kill()
