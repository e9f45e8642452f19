import pytest

from linkspan.errors import FormatError
from linkspan.facts import nvml
from linkspan.facts.host import CSV_FOLDER, Search
from linkspan.facts.model import Link
from linkspan.facts.tegra import parse_line
from tests import hosts
from tests.hosts import char, library

TEGRA = {"/etc/nv_tegra_release": "# R36\n"}
FOLDER = "/usr/lib/aarch64-linux-gnu"


def test_lines_are_a_type_and_an_absolute_path():
    assert parse_line("lib, /usr/lib/x.so") == ("lib", "/usr/lib/x.so")
    assert parse_line("  dev ,/dev/nvmap  ") == ("dev", "/dev/nvmap")
    assert parse_line("") is None
    assert parse_line("# lib, /x") is None


@pytest.mark.parametrize("line", ["lib", "lib /x", "file, /x", "lib, x", ", /x", "lib,"])
def test_other_lines_are_refused(line):
    with pytest.raises(FormatError, match="is not dev, dir, lib or sym"):
        parse_line(line)


def test_a_board_is_told_by_its_release_file_or_its_family(tmp_path):
    assert hosts.look(hosts.make(tmp_path / "a", TEGRA)).platform == "tegra"
    family = {"/sys/devices/soc0/family": "Tegra\n"}
    assert hosts.look(hosts.make(tmp_path / "b", family)).platform == "tegra"
    assert hosts.look(hosts.make(tmp_path / "c", {"/sys/devices/soc0/family": "i.MX\n"})).platform == "none"


def test_a_board_with_nvml_is_tegra_only_by_the_name_of_its_gpu(tmp_path):
    hosts.make(tmp_path, {**TEGRA, **hosts.driver("540.3.0", FOLDER)})

    def named(name):
        gpu = nvml.GpuReport(index=0, minor=0, uuid="GPU-0", name=name, pci_bus_id="0000:01:00.0")
        return hosts.look(tmp_path, ask=lambda _: nvml.Report(driver_version="540.3.0", gpus=(gpu,))).platform

    assert named("Orin (nvgpu)") == "tegra"
    assert named("NVIDIA Thor") == "tegra"
    assert named("NVIDIA RTX A6000") == "nvml"


def test_every_line_says_what_stands_at_its_path(tmp_path):
    hosts.make(
        tmp_path,
        {
            **TEGRA,
            f"{CSV_FOLDER}/devices.csv": "dev, /dev/nvmap\ndev, /dev/gone\n",
            f"{CSV_FOLDER}/l4t.csv": f"lib, {FOLDER}/libcuda.so\nsym, {FOLDER}/a.so\ndir, /opt/dir\nbad line\n",
            f"{FOLDER}/tegra/libcuda.so.1.1": library("libcuda.so.1"),
            f"{FOLDER}/tegra/libcuda.so": "-> libcuda.so.1.1",
            f"{FOLDER}/libcuda.so": "-> tegra/libcuda.so",
            f"{FOLDER}/a.so": "-> /opt/dir/file",
            "/opt/dir/file": "",
        },
    )
    facts = hosts.look(tmp_path, {"/dev/nvmap": char(10, 60)}, machine="aarch64")
    nvmap, gone, lib, sym, folder = facts.csv
    assert (nvmap.type, nvmap.source, nvmap.host_path) == (
        "dev",
        f"{CSV_FOLDER}/devices.csv:1",
        f"{tmp_path}/dev/nvmap",
    )
    assert (gone.path, gone.host_path, gone.final) == ("/dev/gone", "", "")
    assert (lib.final, lib.host_path) == (f"{FOLDER}/tegra/libcuda.so.1.1", f"{tmp_path}{FOLDER}/tegra/libcuda.so.1.1")
    assert lib.hops == (
        Link(path=f"{FOLDER}/libcuda.so", target="tegra/libcuda.so"),
        Link(path=f"{FOLDER}/tegra/libcuda.so", target="libcuda.so.1.1"),
    )
    assert (sym.final, sym.hops) == ("/opt/dir/file", (Link(path=f"{FOLDER}/a.so", target="/opt/dir/file"),))
    assert (folder.final, folder.hops) == ("/opt/dir", ())
    assert facts.device("/dev/nvmap") is not None
    (cuda,) = facts.libraries
    assert (cuda.soname, [link.path for link in cuda.links]) == ("libcuda.so.1", [f"{FOLDER}/tegra/libcuda.so"])
    assert facts.arch == "aarch64"
    missing = {item.part: item.reason for item in facts.missing}
    assert missing["/dev/gone"] == f"listed in {CSV_FOLDER}/devices.csv:2, but nothing stands there"
    assert "bad line" in missing[f"{CSV_FOLDER}/l4t.csv:4"]
    assert [item.container_path for item in facts.configs] == ["/etc/nv_tegra_release"]


def test_a_pattern_gives_an_entry_for_each_match(tmp_path):
    csv = {f"{CSV_FOLDER}/l4t.csv": "lib, /opt/*.so\n"}
    facts = hosts.look(hosts.make(tmp_path, {**TEGRA, **csv, "/opt/a.so": "", "/opt/b.so": ""}))
    assert [(item.path, item.source) for item in facts.csv] == [
        ("/opt/a.so", f"{CSV_FOLDER}/l4t.csv:1"),
        ("/opt/b.so", f"{CSV_FOLDER}/l4t.csv:1"),
    ]


def test_csv_files_may_be_named(tmp_path):
    hosts.make(tmp_path, {"/opt/my.csv": "dir, /opt\n", f"{CSV_FOLDER}/l4t.csv": "dir, /usr\n", "/usr/x": ""})
    facts = hosts.look(tmp_path, search=Search(root=str(tmp_path), csv_files=("/opt/my.csv",)))
    assert [item.path for item in facts.csv] == ["/opt"]


def test_a_board_without_csv_files_misses_them(tmp_path):
    assert any(item.part == "CSV files" for item in hosts.look(hosts.make(tmp_path, TEGRA)).missing)
