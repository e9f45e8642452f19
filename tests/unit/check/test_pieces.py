import stat

import pytest

from linkspan.check import pieces
from linkspan.check.pieces import Read, is_wrong, part_by_name, piece

FILE = Read(stat.S_IFREG | 0o644, 20_000_000, soname="")
LIBRARIES = "/usr/lib/x86_64-linux-gnu"


def library(soname: str, size: int = 20_000_000, noted: bool = False) -> Read:
    return Read(stat.S_IFREG | 0o644, size, soname=soname, noted=noted)


def link(target: str, dangling: bool = False) -> Read:
    return Read(stat.S_IFLNK | 0o777, 0, target, dangling=dangling)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (f"{LIBRARIES}/libcuda.so.550.163.01", "libcuda"),
        ("/opt/x/libcuda.so", "libcuda"),
        ("/usr/lib/libnvidia-ml.so.1", "driver"),
        ("/usr/lib/libGLESv2_nvidia.so.550.163.01", "driver"),  # by its version alone
        ("/usr/lib/libnvidia-container.so.1.17.8", "bridge"),
        ("/usr/lib/libcudart.so.12", "cuda"),
        ("/w/torch/lib/libcudart-d0da41ae.so.11.0", "cuda"),
        ("/w/torch/lib/libtorch_cuda.so", "framework"),
        ("/usr/lib/libcudnn_ops_infer.so.8", "cudnn"),
        ("/lib/modules/6.1.0/updates/nvidia-uvm.ko.xz", "module"),
        ("/usr/bin/nvidia-smi", "nvidia-smi"),
        ("/dev/nvidia0", "gpu"),
        ("/dev/nvidia-caps/nvidia-cap1", "gpu"),
        ("/etc/nvidia0", ""),
        ("/usr/lib/libnvvm.so.4.0.0", ""),
        ("/usr/lib/libcuinj64.so.12.4", ""),
        ("/usr/lib/libc.so.6", ""),
        ("/usr/lib/libOpenCL.so.1.0.0", ""),
    ],
)
def test_a_name_belongs_to_a_part(path, part):
    assert part_by_name(path) == part


@pytest.mark.parametrize(
    ("path", "read", "kind"),
    [
        (f"{LIBRARIES}/libcuda.so.550.163.01", library("libcuda.so.1"), "file"),
        ("/usr/local/cuda-12.4/targets/x86_64-linux/lib/stubs/libcuda.so", library("libcuda.so.1", 60_000), "stub"),
        ("/opt/conda/lib/libcuda.so", library("libcuda.so.1", 60_000), "stub"),
        ("/opt/conda/lib/libcuda.so", library("libcuda.so.1"), "file"),
        (f"{LIBRARIES}/libcuda.so.1", library("libcuda.so.1", 60_000), "file"),
        ("/usr/local/cuda-12.4/compat/libcuda.so.550.54.15", library("libcuda.so.1"), "compat"),
        ("/opt/env/cuda-compat/libcuda.so.1", library("libcuda.so.1"), "compat"),
        ("/opt/moved/libcuda.so.575.57.08", library("libcuda.so.1", noted=True), "compat"),
        (f"{LIBRARIES}/libcuda.so.550.163.01", Read(stat.S_IFREG | 0o644, 0), "leftover"),
        (f"{LIBRARIES}/libcuda.so.1", link("libcuda.so.550.163.01", dangling=True), "leftover"),
        (f"{LIBRARIES}/libcuda.so.1", link("libcuda.so.550.163.01"), "link"),
        (f"{LIBRARIES}/libcudart.so", Read(stat.S_IFREG | 0o644, 90, soname=None), "other"),
        ("/usr/bin/nvidia-smi", Read(stat.S_IFREG | 0o755, 500_000, soname=None), "file"),
        ("/usr/bin/nvidia-smi", Read(stat.S_IFREG | 0o644, 0), "leftover"),
        ("/dev/nvidia0", Read(stat.S_IFCHR | 0o666, 0), "node"),
        ("/dev/nvidia0", Read(stat.S_IFREG | 0o644, 0), "leftover"),
        ("/lib/modules/6.1/nvidia.ko", Read(stat.S_IFREG | 0o644, 5, soname=None), "file"),
    ],
)
def test_what_it_is_shows_in_its_content_not_in_its_name(path, read, kind):
    found = piece(path, read, "image")
    assert found is not None
    assert found.kind == kind


def test_a_library_under_another_name_is_known_by_the_name_it_has_for_itself():
    found = piece("/opt/app/backend.so", library("libcuda.so.1"), "image")
    assert found is not None
    assert (found.part, found.kind) == ("libcuda", "file")
    assert piece("/opt/app/backend.so", library("backend.so"), "image") is None


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/usr/share/bash-completion/completions/dkms", Read(stat.S_IFREG | 0o644, 100)),
        ("/var/lib/dpkg/info/nvidia-container-toolkit.list", Read(stat.S_IFREG | 0o644, 100)),
        ("/usr/lib/nvidia-smi", Read(stat.S_IFSOCK | 0o755, 0)),
        ("/dev/nvidia0", Read(stat.S_IFIFO | 0o644, 0)),
        ("/dev/nvidia0", link("null")),
    ],
)
def test_what_only_has_the_name_is_no_piece(path, read):
    assert piece(path, read, "image") is None


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("libcuda.so.550.163.01", "550.163.01"),
        ("libcudart.so.12.1.105", "12.1.105"),
        ("libcudnn.so.9", "9"),
        ("libcuda.so", ""),
    ],
)
def test_the_version_is_the_end_of_the_name(path, version):
    found = piece(f"/usr/lib/{path}", library("x"), "image")
    assert found is not None
    assert found.version == version


def one(path: str, read: Read, whose: pieces.Owner = "image") -> pieces.Piece:
    found = piece(path, read, whose)
    assert found is not None
    return found


def test_the_hosts_parts_are_wrong_in_an_image_and_right_on_a_mount():
    assert is_wrong(one("/usr/lib/libcuda.so.550.1.2", library("libcuda.so.1")), "host")
    assert not is_wrong(one("/usr/lib/libcuda.so.550.1.2", library("libcuda.so.1"), "host"), "host")
    assert is_wrong(one("/usr/lib/libcudart.so.12", library("x"), "host"), "image")
    assert not is_wrong(one("/usr/lib/libcudart.so.12", library("x")), "image")


def test_the_bridge_belongs_to_the_host():
    toolkit = one("/usr/bin/nvidia-ctk", Read(stat.S_IFREG | 0o755, 9))
    assert is_wrong(toolkit, "bridge")
    assert not is_wrong(one("/usr/bin/nvidia-ctk", Read(stat.S_IFREG | 0o755, 9), "host"), "bridge")


def test_stubs_and_the_compatibility_package_are_the_images_by_right():
    assert not is_wrong(one("/usr/local/cuda/lib64/stubs/libcuda.so", library("libcuda.so.1", 9000)), "host")
    assert not is_wrong(one("/usr/local/cuda/compat/libcuda.so.1", library("libcuda.so.1")), "host")


def test_what_a_mount_left_behind_is_wrong():
    assert is_wrong(one("/usr/lib/libcuda.so.550.1.2", Read(stat.S_IFREG | 0o644, 0)), "host")
    assert is_wrong(one("/usr/lib/libcuda.so.1", link("libcuda.so.550.1.2", dangling=True)), "host")


@pytest.mark.parametrize(
    ("path", "target", "wrong"),
    [
        ("/usr/lib/libcuda.so.1", "/usr/local/cuda/lib64/stubs/libcuda.so", True),
        ("/usr/lib/libcuda.so.1", "stubs/libcuda.so", True),
        ("/usr/lib/libcuda.so", "stubs/libcuda.so", False),
        ("/usr/lib/stubs/libcuda.so.1", "../stubs/libcuda.so", False),
        ("/usr/lib/libcuda.so.1", "libcuda.so.550.1.2", False),
    ],
)
def test_a_link_is_wrong_where_it_puts_a_stub_before_the_loader(path, target, wrong):
    assert is_wrong(one(path, link(target)), "host") is wrong
