"""CDI specs written where a machine is in trouble: nothing is ever half written, and each cause is one sentence."""

import os
from collections.abc import Iterator

import pytest

from linkspan.cli import main
from linkspan.sim import create
from linkspan.sim.spec import SimSpec
from tests import mounts

pytestmark = pytest.mark.privileged

HOOK = "/bin/true"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A simulated host with two GPUs."""
    root = str(tmp_path_factory.mktemp("sim") / "host")
    create.create(root, SimSpec(gpus=2, model="H100"))
    return root


@pytest.fixture
def folder(tmp_path: object) -> Iterator[str]:
    """A small file system: room for a few specs, however long their paths are, until ``fill`` takes it."""
    place = f"{tmp_path}/full"
    os.mkdir(place)
    with mounts.tmpfs(place, 256) as full:
        yield full


def cdi(verb: str, host: str, output: str, *options: str) -> int:
    return main.run(["cdi", verb, "--driver-root", host, "--hook-path", HOOK, "--output", output, *options])


def refresh(host: str, folder: str) -> int:
    return cdi("refresh", host, f"{folder}/nvidia.yaml", "--state-dir", f"{folder}-state")


def fill(folder: str) -> None:
    """Leave no room at all."""
    with open(f"{folder}/ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


@pytest.mark.parametrize("verb", ["generate", "refresh"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], host: str, folder: str, verb: str
) -> None:
    fill(folder)
    code = cdi(verb, host, f"{folder}/nvidia.yaml")
    assert code != 0
    assert capsys.readouterr().err == f"linkspan: cannot write {folder}/nvidia.yaml: No space left on device\n"
    assert os.listdir(folder) == ["ballast"]


def test_a_disk_that_fills_up_keeps_the_good_spec_whole(
    capsys: pytest.CaptureFixture[str], host: str, folder: str
) -> None:
    assert refresh(host, folder) == 0
    with open(f"{folder}/nvidia.yaml", "rb") as file:
        good = file.read()
    fill(folder)
    os.utime(f"{host}/usr/lib/x86_64-linux-gnu/libcuda.so.1")  # the same driver, installed anew
    capsys.readouterr()
    assert refresh(host, folder) != 0
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(os.listdir(folder)) == ["ballast", "nvidia.yaml"]
    with open(f"{folder}/nvidia.yaml", "rb") as file:
        assert file.read() == good


def test_a_read_only_folder_is_one_sentence(capsys: pytest.CaptureFixture[str], host: str, tmp_path: object) -> None:
    with mounts.read_only(str(tmp_path)):
        assert cdi("generate", host, f"{tmp_path}/nvidia.yaml") != 0
    assert capsys.readouterr().err == f"linkspan: cannot write {tmp_path}/nvidia.yaml: Read-only file system\n"
    assert os.listdir(str(tmp_path)) == []
