import os
import time

from linkspan.check import inventory
from linkspan.check.inventory import Inventory, survey
from linkspan.formats.procfs import MountPoint
from linkspan.kernel import paths
from tests import elf, hosts
from tests.hosts import LIBRARIES, library


def look(root: object, **options: object) -> Inventory:
    fd = paths.open_root(str(root))
    try:
        return survey(fd, **options)  # type: ignore[arg-type]
    finally:
        os.close(fd)


def mount(path: str, kind: str = "ext4") -> dict[str, MountPoint]:
    return {path: MountPoint((8, 1), "/", path, (), kind, "/dev/x", ())}


def found(root: object, **options: object) -> dict[str, str]:
    return {piece.path: piece.kind for piece in look(root, **options).pieces}


def test_an_image_of_its_own_has_what_it_has(tmp_path):
    tree = {
        **hosts.driver("550.163.01"),
        f"{LIBRARIES}/libcudart.so.12.1.105": library("libcudart.so.12"),
        "/usr/local/cuda-12.1/lib/stubs/libcuda.so": library("libcuda.so.1"),
        "/usr/lib/libnvidia-ptxjitcompiler.so.535.1.2": b"",
        "/opt/backend.so": library("libcuda.so.1"),
        "/opt/text.so": "no library",
    }
    assert found(hosts.make(tmp_path, tree)) == {
        f"{LIBRARIES}/libcuda.so.550.163.01": "file",
        f"{LIBRARIES}/libcuda.so.1": "link",
        f"{LIBRARIES}/libnvidia-ml.so.550.163.01": "file",
        f"{LIBRARIES}/libnvidia-ml.so.1": "link",
        f"{LIBRARIES}/libcudart.so.12.1.105": "file",
        "/usr/local/cuda-12.1/lib/stubs/libcuda.so": "stub",
        "/usr/lib/libnvidia-ptxjitcompiler.so.535.1.2": "leftover",
        "/opt/backend.so": "file",
    }


def test_no_symlink_leads_out_of_the_root(tmp_path):
    hosts.make(tmp_path / "outside", hosts.driver("550.163.01", "/lib"))
    tree = {
        "/absolute": f"-> {tmp_path}/outside",
        "/relative": "-> ../outside",
        "/libcuda.so.1": f"-> {tmp_path}/outside/lib/libcuda.so.550.163.01",
        "/libnvidia-ml.so.1": "-> ../../../../../../../../etc/passwd",
        "/etc/passwd": "root",
    }
    assert found(hosts.make(tmp_path / "root", tree)) == {
        "/libcuda.so.1": "leftover",  # it dangles, seen from inside
        "/libnvidia-ml.so.1": "link",  # it leads to the root's own file
    }


def test_links_in_a_circle_end(tmp_path):
    tree = {"/libcuda.so.1": "-> libcuda.so", "/libcuda.so": "-> libcuda.so.1", "/a/b": "-> ../a"}
    assert found(hosts.make(tmp_path, tree)) == {"/libcuda.so": "leftover", "/libcuda.so.1": "leftover"}


def test_what_stands_on_a_mount_is_the_hosts(tmp_path):
    hosts.make(tmp_path, {**hosts.driver("550.163.01"), "/opt/lib/libcudart.so.12": library("libcudart.so.12")})
    mounts = mount(f"{LIBRARIES}/libcuda.so.550.163.01") | mount("/opt")
    whose = {piece.path: piece.whose for piece in look(tmp_path, mounts=mounts).pieces}
    assert whose[f"{LIBRARIES}/libcuda.so.550.163.01"] == "host"
    assert whose[f"{LIBRARIES}/libnvidia-ml.so.550.163.01"] == "image"
    assert whose["/opt/lib/libcudart.so.12"] == "host"


def test_a_file_on_a_tmpfs_is_the_containers_own(tmp_path):
    hosts.make(tmp_path, {"/tmp/libcuda.so.1": library("libcuda.so.1")})
    assert [piece.whose for piece in look(tmp_path, mounts=mount("/tmp", "tmpfs")).pieces] == ["image"]


def test_what_the_kernel_says_of_itself_is_not_walked(tmp_path):
    hosts.make(tmp_path, {f"/{one}/libcuda.so.1": library("libcuda.so.1") for one in ("proc", "sys", "cg", "data")})
    assert set(found(tmp_path, mounts=mount("/cg", "cgroup2"))) == {"/data/libcuda.so.1"}


def test_mounts_come_last_so_that_a_large_one_costs_the_image_nothing(tmp_path):
    big = {f"/a-mount/file{number}": "x" for number in range(inventory.TICK + 10)}
    hosts.make(tmp_path, {**big, "/z/libcuda.so.1": library("libcuda.so.1")})
    seen = look(tmp_path, mounts=mount("/a-mount"), until=time.monotonic() - 1)
    assert [piece.path for piece in seen.pieces] == ["/z/libcuda.so.1"]
    assert seen.gaps == (f"the time was over after {inventory.TICK} entries",)


def test_it_says_how_far_it_is(tmp_path):
    hosts.make(tmp_path, {f"/file{number}": "x" for number in range(2 * inventory.TICK)})
    said: list[int] = []
    assert look(tmp_path, tick=said.append).entries == 2 * inventory.TICK
    assert said == [inventory.TICK, 2 * inventory.TICK]


def test_folders_within_folders_end_somewhere(tmp_path):
    hosts.make(tmp_path, {"/d" * (inventory.DEPTH + 2) + "/libcuda.so.1": library("libcuda.so.1")})
    seen = look(tmp_path)
    assert seen.pieces == ()
    assert seen.gaps == ("/d" * (inventory.DEPTH + 1) + " is too deep",)


def test_pipes_and_sockets_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "libcuda.so.1")
    os.mkfifo(tmp_path / "other.so")
    assert found(tmp_path) == {}


def test_the_note_of_the_compatibility_package_tells_it_wherever_it_is(tmp_path):
    (tmp_path / "libcuda.so.575.57.08").write_bytes(elf.library("libcuda.so.1", note=b"{}"))
    assert found(tmp_path) == {"/libcuda.so.575.57.08": "compat"}


def test_broken_elf_is_no_library(tmp_path):
    whole = library("libcuda.so.1")
    for size in range(1, len(whole), 37):
        (tmp_path / "libcuda.so.1").write_bytes(whole[:size])
        assert set(found(tmp_path).values()) <= {"other", "file"}
    (tmp_path / "libcuda.so.1").write_bytes(b"\x7fELF" + b"\xff" * 200)
    assert found(tmp_path) == {"/libcuda.so.1": "other"}


def test_libraries_of_python_packages_have_the_version_of_their_package(tmp_path):
    site = "/usr/lib/python3.11/site-packages"
    tree = {
        f"{site}/torch/lib/libtorch_cuda.so": library("libtorch_cuda.so"),
        f"{site}/torch-2.4.1+cu121.dist-info/METADATA": "x",
        f"{site}/nvidia/cudnn/lib/libcudnn.so.9": library("libcudnn.so.9"),
        f"{site}/nvidia_cudnn_cu12-9.1.0.70.dist-info/METADATA": "x",
        f"{site}/onnxruntime/capi/libonnxruntime_providers_cuda.so": library("x"),
        f"{site}/onnxruntime_gpu-1.19.2.dist-info/METADATA": "x",
        f"{site}/other/libtorch.so": library("libtorch.so"),
        "/opt/libtorch.so": library("libtorch.so"),
    }
    versions = {piece.path.rpartition("/")[2]: piece.version for piece in look(hosts.make(tmp_path, tree)).pieces}
    assert versions == {
        "libtorch_cuda.so": "2.4.1+cu121",
        "libcudnn.so.9": "9.1.0.70",
        "libonnxruntime_providers_cuda.so": "1.19.2",
        "libtorch.so": "",
    }


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    hosts.make(tmp_path, {"/closed/x": "x", "/libcuda.so.1": library("libcuda.so.1"), "/libcudart.so.12": library("x")})
    opened = os.open

    def refuse(name: str, *rest: object, **more: object) -> int:
        if name in {"closed", "libcuda.so.1"}:
            raise PermissionError(13, "Permission denied")
        return opened(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    seen = look(tmp_path)
    assert sorted(seen.gaps) == [
        "/closed cannot be read: Permission denied",
        "/libcuda.so.1 cannot be read: Permission denied",
    ]
    assert [piece.path for piece in seen.pieces] == ["/libcudart.so.12"]
