"""The links in /dev/char, below a root whose device nodes are files."""

import os
from pathlib import Path

import pytest

from linkspan.errors import KernelError
from linkspan.facts.model import DeviceNode, HostFacts
from linkspan.store import dev_char
from linkspan.store.dev_char import Kept

MAJORS = {"nvidia": 195, "nvidia-uvm": 510, "nvidia-caps": 511, "drm": 226}
NODES = {"nvidia0": (195, 0), "nvidiactl": (195, 255), "nvidia-uvm": (510, 0), "nvidia-caps/nvidia-cap1": (511, 1)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the links of this root are."""
    return tmp_path / "dev/char"


def host(root: Path, nodes: dict[str, tuple[int, int]] = NODES) -> HostFacts:
    found = []
    for name, (major, minor) in nodes.items():
        path = root / "dev" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        found.append(DeviceNode(path=f"/dev/{name}", host_path=str(path), major=major, minor=minor))
    return HostFacts(dev_root=str(root), devices=tuple(found), majors=MAJORS)


def links(folder: Path) -> dict[str, str]:
    return {name: os.readlink(folder / name) for name in sorted(os.listdir(folder))}


def test_every_node_of_the_driver_has_its_link(tmp_path: Path, folder: Path) -> None:
    assert dev_char.keep(host(tmp_path)) == Kept(4, 0)
    assert links(folder) == {
        "195:0": "../nvidia0",
        "195:255": "../nvidiactl",
        "510:0": "../nvidia-uvm",
        "511:1": "../nvidia-caps/nvidia-cap1",
    }
    assert all(os.path.samefile(folder / name, folder / target) for name, target in links(folder).items())


def test_a_second_time_changes_nothing(tmp_path: Path, folder: Path) -> None:
    dev_char.keep(host(tmp_path))
    before = {name: os.lstat(folder / name).st_ino for name in os.listdir(folder)}
    assert dev_char.keep(host(tmp_path)) == Kept(0, 0)
    assert {name: os.lstat(folder / name).st_ino for name in os.listdir(folder)} == before


@pytest.mark.parametrize("target", ["../nvidiactl", "../nowhere", "/dev/null"])
def test_a_wrong_link_is_put_right(tmp_path: Path, folder: Path, target: str) -> None:
    dev_char.keep(host(tmp_path))
    os.unlink(folder / "195:0")
    os.symlink(target, folder / "195:0")
    assert dev_char.keep(host(tmp_path)) == Kept(1, 0)
    assert links(folder)["195:0"] == "../nvidia0"
    assert len(os.listdir(folder)) == len(NODES)


def test_a_link_that_leads_to_the_device_by_another_way_stays(tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    os.symlink("/dev/null", folder / "1:3")
    assert dev_char.keep(host(tmp_path, {"nvidia0": (1, 3)})) == Kept(0, 0)
    assert links(folder) == {"1:3": "/dev/null"}


def test_links_of_nodes_that_are_gone_or_have_other_numbers_now_are_removed(tmp_path: Path, folder: Path) -> None:
    dev_char.keep(host(tmp_path))
    os.unlink(tmp_path / "dev/nvidia0")
    fewer = {name: numbers for name, numbers in NODES.items() if name != "nvidia0"}
    assert dev_char.keep(host(tmp_path, {**fewer, "nvidia-uvm": (509, 0)})) == Kept(1, 2)
    assert sorted(links(folder)) == ["195:255", "509:0", "511:1"]


def test_links_of_other_drivers_stay_be_they_broken_or_not(tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "dev/dri").mkdir()
    (tmp_path / "dev/dri/card0").write_text("")
    others = {"1:3": "../null", "226:0": "../dri/card0", "226:1": "../dri/card1"}
    for name, target in others.items():
        os.symlink(target, folder / name)
    dev_char.keep(host(tmp_path))
    assert others.items() <= links(folder).items()


def test_without_nodes_no_folder_is_made(tmp_path: Path, folder: Path) -> None:
    assert dev_char.keep(host(tmp_path, {})) == Kept(0, 0)
    assert not folder.exists()


def test_nodes_that_are_in_the_facts_alone_get_no_link(tmp_path: Path, folder: Path) -> None:
    facts = host(tmp_path)
    for name in NODES:
        os.unlink(tmp_path / "dev" / name)
    assert dev_char.keep(facts) == Kept(0, 0)


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path, folder: Path) -> None:
    facts = host(tmp_path)
    folder.write_text("in the way")
    with pytest.raises(KernelError, match="cannot make the folder"):
        dev_char.keep(facts)
