import socket

import pytest

from linkspan.facts.host import Search
from tests import hosts
from tests.hosts import driver

V = "550.163.01"


def listen(path):
    path.parent.mkdir(parents=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    return server


def test_programs_keep_the_name_they_are_found_by(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/usr/bin/nvidia-smi": "-> /etc/alternatives/nvidia-smi",
            "/etc/alternatives/nvidia-smi": "-> /usr/lib/nvidia/current/nvidia-smi",
            "/usr/lib/nvidia/current/nvidia-smi": "",
            "/bin/nvidia-debugdump": "",
            "/usr/bin/nvidia-imex": "-> gone",
        },
    )
    found = {item.path: item.host_path for item in hosts.look(tmp_path).binaries}
    assert found == {
        "/usr/bin/nvidia-smi": f"{tmp_path}/usr/lib/nvidia/current/nvidia-smi",
        "/bin/nvidia-debugdump": f"{tmp_path}/bin/nvidia-debugdump",
    }


@pytest.mark.parametrize("folder", ["/home/kubernetes/bin/nvidia/bin", "/run/current-system/sw/bin", "/usr/local/bin"])
def test_programs_are_found_where_a_distribution_keeps_them(tmp_path, folder):
    facts = hosts.look(hosts.make(tmp_path, {f"{folder}/nvidia-smi": ""}))
    assert [item.path for item in facts.binaries] == [f"{folder}/nvidia-smi"]


def test_firmware_is_that_of_the_driver_and_the_first_folder_wins(tmp_path):
    files = {
        f"/lib/firmware/updates/nvidia/{V}/gsp_ga10x.bin": "",
        f"/lib/firmware/nvidia/{V}/gsp_ga10x.bin": "",
        f"/lib/firmware/nvidia/{V}/gsp_tu10x.bin": "",
        "/lib/firmware/nvidia/535.54.03/gsp_ga10x.bin": "",
    }
    facts = hosts.look(hosts.make(tmp_path, {**driver(V), **files}))
    assert [item.path for item in facts.firmware] == [
        f"/lib/firmware/updates/nvidia/{V}/gsp_ga10x.bin",
        f"/lib/firmware/nvidia/{V}/gsp_tu10x.bin",
    ]


def test_the_kernels_own_firmware_folder_comes_first(tmp_path):
    setting = {"/sys/module/firmware_class/parameters/path": "/home/kubernetes/bin/nvidia/firmware\n"}
    place = f"/home/kubernetes/bin/nvidia/firmware/nvidia/{V}/gsp_ga10x.bin"
    facts = hosts.look(hosts.make(tmp_path, {**driver(V), **setting, place: ""}))
    assert [item.path for item in facts.firmware] == [place]


def test_sockets_are_sockets_and_the_pipes_of_mps_are_a_folder(tmp_path):
    hosts.make(tmp_path, {"/tmp/nvidia-mps/control": "", "/run/nvidia-fabricmanager/socket": "a file"})
    with listen(tmp_path / "run/nvidia-persistenced/socket"):
        assert [item.path for item in hosts.look(tmp_path).sockets] == [
            "/run/nvidia-persistenced/socket",
            "/tmp/nvidia-mps",
        ]


def test_a_socket_below_var_run_counts_where_run_has_none(tmp_path):
    with listen(tmp_path / "var/run/nvidia-persistenced/socket"):
        assert [item.path for item in hosts.look(tmp_path).sockets] == ["/var/run/nvidia-persistenced/socket"]


def test_vendor_files_go_to_fixed_places_of_a_container(tmp_path):
    hosts.make(
        tmp_path,
        {
            "/usr/share/vulkan/icd.d/nvidia_icd.json": "",
            "/etc/glvnd/egl_vendor.d/10_nvidia.json": "",
            "/usr/share/glvnd/egl_vendor.d/10_nvidia.json": "",
            "/vulkan/implicit_layer.d/nvidia_layers.json": "",
            "/etc/cufile.json": "",
        },
    )
    assert [(item.path, item.container_path) for item in hosts.look(tmp_path).configs] == [
        ("/etc/glvnd/egl_vendor.d/10_nvidia.json", "/usr/share/glvnd/egl_vendor.d/10_nvidia.json"),
        ("/usr/share/vulkan/icd.d/nvidia_icd.json", "/etc/vulkan/icd.d/nvidia_icd.json"),
        ("/vulkan/implicit_layer.d/nvidia_layers.json", "/etc/vulkan/implicit_layer.d/nvidia_layers.json"),
        ("/etc/cufile.json", "/etc/cufile.json"),
    ]


def test_named_config_search_paths_replace_the_usual_folders(tmp_path):
    hosts.make(tmp_path, {"/etc/OpenCL/vendors/nvidia.icd": "", "/opt/OpenCL/vendors/nvidia.icd": ""})
    facts = hosts.look(tmp_path, search=Search(root=str(tmp_path), config_search_paths=("/opt",)))
    assert [item.path for item in facts.configs] == ["/opt/OpenCL/vendors/nvidia.icd"]


def test_the_udev_database_is_a_folder_to_carry(tmp_path):
    facts = hosts.look(hosts.make(tmp_path, {"/run/udev/data/c1:1": ""}))
    assert [item.path for item in facts.folders] == ["/run/udev"]
