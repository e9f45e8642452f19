"""Making, hurting and removing, with plain files in place of device nodes: those need root (tests/privileged)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkspan.errors import HostError, KernelError, RequestError
from linkspan.formats import procfs
from linkspan.sim import create as sim
from linkspan.sim import record
from linkspan.sim.create import MARKER, create, inject, load, remove
from linkspan.sim.spec import SimSpec


@pytest.fixture(autouse=True)
def _nodes_as_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def mknod(path: str, mode: int, device: int = 0) -> None:
        assert stat.S_IFMT(mode) in {stat.S_IFCHR, stat.S_IFSOCK}
        Path(path).write_text(f"{os.major(device)}:{os.minor(device)}")

    monkeypatch.setattr(os, "mknod", mknod)


def listing(folder: Path) -> dict[str, bytes | str | None]:
    """Every path below a folder, with what it holds."""

    def content(path: Path) -> bytes | str | None:
        return str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(folder)): content(path) for path in folder.rglob("*")}


@pytest.fixture
def real_driver(tmp_path: Path) -> Iterator[Path]:
    """A root with the files of a real driver, as unpacking Debian's packages gives it."""
    root = tmp_path / "unpacked"
    libraries = root / "usr/lib/x86_64-linux-gnu/nvidia/current"
    programs = root / "usr/lib/nvidia/current"
    for folder in (libraries, programs, root / "usr/lib/i386-linux-gnu", root / "dev"):
        folder.mkdir(parents=True)
    (libraries / "libnvidia-ml.so.535.261.03").write_bytes(b"\x7fELF\x02 the real one")
    (libraries / "libnvidia-ml.so.1").symlink_to("libnvidia-ml.so.535.261.03")
    (libraries / "libcuda.so.535.261.03").write_bytes(b"\x7fELF\x02 real as well")
    (root / "usr/lib/i386-linux-gnu/libnvidia-ml.so.535.261.03").write_bytes(b"\x7fELF\x01 of 32 bits")
    (programs / "nvidia-smi").write_bytes(b"the real nvidia-smi")
    (programs / "nvidia-smi").chmod(0o755)
    (programs / "nvidia-smi.1.gz").write_bytes(b"its manual")
    yield root


def test_a_host_comes_and_goes_without_a_trace(tmp_path: Path) -> None:
    host = create(str(tmp_path / "deep/host"), SimSpec(gpus=2))
    assert host.root == str(tmp_path / "deep/host")
    assert (tmp_path / "deep/host/dev/nvidia1").read_text() == "195:1"
    assert load(host.root) == host
    remove(host.root)
    assert listing(tmp_path) == {"deep": None}


def test_what_it_says_it_made_is_what_is_there(tmp_path: Path) -> None:
    host = create(str(tmp_path), SimSpec(gpus=2, mig=("1g.10gb",), drm=True))
    there = {f"/{path}" for path, content in listing(tmp_path).items() if content is not None}
    assert there == set(host.paths())


def test_the_library_holds_the_description_and_the_place(tmp_path: Path) -> None:
    create(str(tmp_path), SimSpec(gpus=2, driver="550.163.01"))
    (library,) = tmp_path.rglob("libnvidia-ml.so.550.163.01")
    described = library.read_bytes().partition(record.MAGIC)[2][: record.SIZE]
    assert str(tmp_path).encode() + b"\0" in described
    assert described.count(b"NVIDIA H100 80GB HBM3\0") == 2


def test_the_same_host_is_made_twice_the_same(tmp_path: Path) -> None:
    create(str(tmp_path / "a"), SimSpec(gpus=2))
    first = listing(tmp_path / "a")
    remove(str(tmp_path / "a"))
    create(str(tmp_path / "a"), SimSpec(gpus=2))
    assert listing(tmp_path / "a") == first


def test_an_empty_folder_serves_and_is_left_empty_by_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "mknod", refuse)
    with pytest.raises(HostError, match="no permission"):
        create(str(tmp_path), SimSpec())
    assert listing(tmp_path) == {}
    with pytest.raises(HostError, match="no permission"):
        create(str(tmp_path / "new"), SimSpec())
    assert listing(tmp_path) == {}


def test_a_place_that_is_not_free_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("theirs")
    before = listing(tmp_path)
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(HostError, match="is not an empty folder"):
            create(str(place), SimSpec())
    assert listing(tmp_path) == before


def test_a_host_is_not_made_over_another(tmp_path: Path) -> None:
    create(str(tmp_path), SimSpec())
    with pytest.raises(HostError, match="is a simulated host already"):
        create(str(tmp_path), SimSpec(), onto=True)


def test_a_host_that_cannot_be_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        create(str(tmp_path / "host"), SimSpec(model="RTX"))
    with pytest.raises(RequestError):
        create(str(tmp_path / "host"), SimSpec(faults=("gremlins",)))
    assert listing(tmp_path) == {}


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KernelError, match=r"cannot make the folder .*/file/host"):
        create(str(tmp_path / "file/host"), SimSpec())


def test_only_what_has_our_marker_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("theirs")
    with pytest.raises(HostError, match="is not a simulated host"):
        remove(str(tmp_path))
    (tmp_path / MARKER.strip("/")).write_text("{}")
    with pytest.raises(HostError, match="cannot read"):
        remove(str(tmp_path))
    assert (tmp_path / "file").exists()


def test_nothing_is_removed_while_something_is_mounted_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(str(tmp_path), SimSpec())
    mount = f"36 35 98:0 / {tmp_path}/usr/share rw - ext3 /dev/root rw\n"
    monkeypatch.setattr(sim, "_mounts", lambda: mount)
    with pytest.raises(HostError, match="is a mount below"):
        remove(str(tmp_path))
    assert (tmp_path / "usr/share").exists()


def test_a_fault_comes_later_as_well_as_at_once(tmp_path: Path) -> None:
    once, later = tmp_path / "once", tmp_path / "later"
    names = ("driver-mismatch", "no-uvm", "lost-gpu=1", "stale-cache")
    create(str(once), SimSpec(gpus=2, faults=names))
    create(str(later), SimSpec(gpus=2))
    for name in names:
        inject(str(later), name)
    hurt, expected = listing(later), listing(once)
    own = {path for path, content in hurt.items() if isinstance(content, bytes) and str(later).encode() in content}
    assert {path: hurt[path] for path in hurt.keys() - own} == {path: expected[path] for path in expected.keys() - own}
    assert {path.rpartition("/")[2] for path in own} == {
        "libnvidia-ml.so.550.163.01",
        "libcuda.so.550.163.01",
        ".linkspan-sim.json",
    }
    assert load(str(later)).spec == load(str(once)).spec


def test_an_unknown_fault_changes_nothing(tmp_path: Path) -> None:
    create(str(tmp_path), SimSpec())
    before = listing(tmp_path)
    with pytest.raises(RequestError, match="no fault gremlins"):
        inject(str(tmp_path), "gremlins")
    assert listing(tmp_path) == before


def test_laid_over_a_real_driver_all_but_nvml_is_kept(real_driver: Path) -> None:
    before = listing(real_driver)
    host = create(str(real_driver), SimSpec(gpus=2), onto=True)
    after = listing(real_driver)
    replaced = "usr/lib/x86_64-linux-gnu/nvidia/current/libnvidia-ml.so.535.261.03"
    assert {path for path in before if after[path] != before[path]} == {replaced}
    assert record.MAGIC in (real_driver / replaced).read_bytes()
    assert host.spec.driver == "535.261.03"
    assert procfs.driver_version((real_driver / "proc/driver/nvidia/version").read_text()).version == "535.261.03"
    assert (real_driver / "dev/nvidia1").exists()
    assert os.readlink(real_driver / "usr/bin/nvidia-smi") == "/usr/lib/nvidia/current/nvidia-smi"
    assert not (real_driver / "usr/bin/nvidia-smi.1.gz").is_symlink()


def test_taken_off_a_real_driver_nothing_of_ours_stays(real_driver: Path) -> None:
    before = listing(real_driver)
    create(str(real_driver), SimSpec(gpus=2), onto=True)
    inject(str(real_driver), "missing-node=1")
    remove(str(real_driver))
    assert listing(real_driver) == before


def test_a_failure_takes_everything_off_a_real_driver_again(real_driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = listing(real_driver)
    monkeypatch.setattr(os, "mknod", refuse)
    with pytest.raises(HostError, match="no permission"):
        create(str(real_driver), SimSpec(), onto=True)
    assert listing(real_driver) == before


def test_files_that_others_put_beside_ours_stay(real_driver: Path) -> None:
    create(str(real_driver), SimSpec(), onto=True)
    (real_driver / "etc").mkdir(exist_ok=True)
    (real_driver / "dev/theirs").write_text("theirs")
    remove(str(real_driver))
    assert (real_driver / "dev/theirs").exists()


def test_a_real_libcuda_cannot_be_taken_away(real_driver: Path) -> None:
    create(str(real_driver), SimSpec(), onto=True)
    with pytest.raises(RequestError, match="cannot go missing"):
        inject(str(real_driver), "no-libcuda")


def test_a_root_without_one_driver_is_refused(real_driver: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RequestError, match="holds none"):
        create(str(empty), SimSpec(), onto=True)
    with pytest.raises(RequestError, match=r"no libnvidia-ml\.so\.550\.1"):
        create(str(real_driver), SimSpec(driver="550.1"), onto=True)
    second = real_driver / "usr/lib/libnvidia-ml.so.550.163.01"
    second.write_bytes(b"\x7fELF\x02")
    with pytest.raises(RequestError, match=r"holds those of 535\.261\.03, 550\.163\.01"):
        create(str(real_driver), SimSpec(), onto=True)
    assert create(str(real_driver), SimSpec(driver="550.163.01"), onto=True).saved == (
        "/usr/lib/libnvidia-ml.so.550.163.01",
    )


def test_an_installation_without_the_compiled_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.resources, "files", lambda _: tmp_path)
    with pytest.raises(HostError, match="no compiled simulated driver"):
        create(str(tmp_path / "host"), SimSpec())
    assert listing(tmp_path) == {}


def test_a_wsl_guest_has_its_driver_in_the_store_and_one_node(tmp_path: Path) -> None:
    create(str(tmp_path), SimSpec(gpus=1, layout="wsl"))
    assert [path.name for path in (tmp_path / "dev").iterdir()] == ["dxg"]
    (store,) = (tmp_path / "usr/lib/wsl/drivers").iterdir()
    assert record.MAGIC in (store / "libcuda.so.1.1").read_bytes()
    assert (tmp_path / "usr/lib/wsl/lib/libdxcore.so").exists()
