"""The names that engines look for, beside programs that have them already."""

import os
from pathlib import Path

import pytest

from linkspan.errors import ConfigError
from linkspan.store import names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for program in set(names.NAMES.values()):
        (tmp_path / program).write_text("ours")
    return tmp_path


def entries(folder: Path) -> dict[str, str]:
    return {path.name: os.readlink(path) if path.is_symlink() else path.read_text() for path in folder.iterdir()}


def test_every_name_leads_to_a_program_of_ours_and_goes_again(folder: Path) -> None:
    before = entries(folder)
    for _ in range(2):
        assert names.put(str(folder)) == tuple(f"{folder}/{name}" for name in names.NAMES)
        assert {path.read_text() for path in folder.iterdir()} == {"ours"}
    assert len(names.take_away(str(folder))) == len(names.NAMES)
    assert names.take_away(str(folder)) == ()
    assert entries(folder) == before


def test_a_program_that_has_a_name_is_left_alone_and_nothing_is_changed(folder: Path) -> None:
    (folder / "nvidia-container-toolkit").write_text("NVIDIA's")
    before = entries(folder)
    with pytest.raises(ConfigError, match=r"nvidia-container-toolkit is there already") as error:
        names.put(str(folder))
    assert "--replace" in error.value.hint
    assert entries(folder) == before


def test_a_script_that_pip_made_for_us_answers_already_and_stays(folder: Path) -> None:
    script = folder / "nvidia-ctk"
    script.write_text("#!/usr/bin/python3\nimport sys\nfrom linkspan.compat.ctk import main\n")
    script.chmod(0o755)
    names.put(str(folder))
    names.put(str(folder), replace=True)
    assert not script.is_symlink()
    assert names.elsewhere("/other", str(folder)) == []
    names.take_away(str(folder))
    assert script.exists()


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_on_request_it_is_set_aside_and_put_back(folder: Path, kind: str) -> None:
    place = folder / "nvidia-container-runtime"
    if kind == "file":
        place.write_text("NVIDIA's")
    else:
        (folder / "elsewhere").write_text("NVIDIA's")
        place.symlink_to("elsewhere" if kind == "link" else "nowhere")
    before = {path.name: path.is_symlink() for path in folder.iterdir()}
    names.put(str(folder), replace=True)
    names.put(str(folder), replace=True)
    assert place.read_text() == "ours"
    names.take_away(str(folder))
    assert {path.name: path.is_symlink() for path in folder.iterdir()} == before
    assert kind == "dangling" or place.read_text() == "NVIDIA's"


def test_two_programs_to_set_aside_are_one_too_many(folder: Path) -> None:
    (folder / "nvidia-container-runtime").write_text("new")
    (folder / f"nvidia-container-runtime{names.ASIDE}").write_text("old")
    with pytest.raises(ConfigError, match="cannot be set aside"):
        names.put(str(folder), replace=True)
    assert (folder / "nvidia-container-runtime").read_text() == "new"


def test_programs_of_the_same_name_elsewhere_are_found(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "nvidia-container-runtime-hook").write_text("")
    (other / "nvidia-container-runtime-hook").chmod(0o755)
    names.put(str(folder))
    found = names.elsewhere(str(folder), f"{folder}:relative::{other}:/nowhere")
    assert found == [f"{other}/nvidia-container-runtime-hook"]
